"""What is known of a service before it is released, each with the place where it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from greenrun.config import values as are
from greenrun.config.deploy import BuildSection, DeploySection
from greenrun.model.forms import Form
from greenrun.model.revision.values import SECRET_PLACE, SECRET_VERSION, VARIABLE_NAME

T = TypeVar("T")

OF_ALL: Mapping[str, Form[str]] = {
    "service": are.SERVICE_NAME,
    "project": are.PROJECT,
    "region": are.REGION,
}
_SECTIONS: Mapping[str, type[are.Section]] = {"build": BuildSection, "deploy": DeploySection}


@dataclass(frozen=True, slots=True)
class Said:
    """A value in the form that release.yaml has it, and where it stands."""

    value: object
    place: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A passage that init could not use, and why."""

    place: str
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}: {self.why}"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a procedure makes by hand, and what it expects of the answer.

    `promises` are cells of a table of endpoints; `families` begin names of metrics.
    """

    method: str
    path: str
    place: str
    status: int | None = None
    sends: str = ""
    promises: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    @property
    def request(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def changes_nothing(self) -> bool:
        """True where it may be asked in production, too."""
        return self.method in {"GET", "HEAD"}

    @property
    def is_plain(self) -> bool:
        """True where anybody may ask it at any time."""
        return self.method == "GET" and self.status in {None, 200} and "metrics" not in self.path


@dataclass
class Facts:
    """Everything that was read. What is said first counts, and what differs from it is told."""

    said: dict[str, Said] = field(default_factory=dict)
    variables: dict[str, Said] = field(default_factory=dict)
    secrets: dict[str, Said] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    shares: set[int] = field(default_factory=set)

    def say(self, key: str, value: object, place: str) -> None:
        """Take a value over, if release.yaml can have it under this key."""
        if why := self.refusal(key, value):
            self.skip(place, f"{key}: {value}", why)
            return
        self._keep(self.said, key, Said(value, place), f"{key}: {value}")

    @staticmethod
    def refusal(key: str, value: object) -> str:
        """Why release.yaml cannot have a value under a key; empty where it can."""
        section, _, name = key.partition(".")
        if not name:
            form = OF_ALL.get(key)
            return "" if form is None or form.fits(value) else f"needs {form.needs}"
        judged = _SECTIONS.get(section)
        return _complaint(judged, name, value) if judged else ""

    def set_variable(self, name: str, value: str, place: str) -> None:
        """Take a plain variable over."""
        if not VARIABLE_NAME.fits(name):
            self.skip(place, name, f"needs {VARIABLE_NAME.needs}")
        elif name not in self.secrets:
            self._keep(self.variables, name, Said(value, place), name)

    def set_secret(self, name: str, reference: str, place: str) -> None:
        """Let Secret Manager fill a variable: `reference` is SECRET:VERSION."""
        if not (SECRET_PLACE.fits(name) and SECRET_VERSION.fits(reference)):
            needs = f"needs a variable, and {SECRET_VERSION.needs}"
            self.skip(place, f"{name}={reference}", needs)
            return
        self.variables.pop(name, None)
        self._keep(self.secrets, name, Said(reference, place), f"{name}={reference}")

    def _keep(self, known: dict[str, Said], key: str, said: Said, shown: str) -> None:
        """Take over what nobody said before. Values of variables are never shown."""
        first = known.setdefault(key, said)
        if first.value != said.value:
            before = "otherwise" if shown == key else first.value
            self.skip(said.place, shown, f"{first.place} says {before}, which counts")

    def skip(self, place: str, text: str, why: str) -> None:
        """Tell that a passage was not read; of the same, the first."""
        if not any((each.text, each.why) == (text, why) for each in self.unread):
            self.unread.append(Unread(place, " ".join(text.split()), " ".join(why.split())))

    def text(self, key: str, otherwise: str = "") -> str:
        """What was said under a key, as text."""
        found = self.said.get(key)
        return otherwise if found is None else str(found.value)

    def below(self, section: str) -> Iterator[tuple[str, object]]:
        """Keys of a section, without its name, and their values."""
        for key, said in self.said.items():
            if key.startswith(f"{section}."):
                yield key.partition(".")[2], said.value


def _complaint(section: type[are.Section], name: str, value: object) -> str:
    try:
        section.model_validate({name: value})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["loc"][0] != name.replace("-", "_") and detail["loc"][0] != name:
                continue
            if detail["type"] == "extra_forbidden":
                return "greenrun does not know it, and a release leaves it as the service has it"
            if detail["type"] == "value_error":
                return f"needs {detail['ctx']['error']}"
            return str(detail["msg"])
    return ""
