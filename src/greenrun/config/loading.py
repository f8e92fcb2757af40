"""The plan of an environment, or everything that is wrong with what people wrote."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from greenrun.config import values as are
from greenrun.config.complaints import complaints_of, shown, unknown_key, without_refused
from greenrun.config.deploy import DeploySection
from greenrun.config.document import Complain, Node, read_document, spelled
from greenrun.config.schema import Release
from greenrun.model.errors import Complaint, SettingsError
from greenrun.model.plan import START_TAG, Plan
from greenrun.model.revision.rules import broken
from greenrun.model.revision.values import LONGEST_TEXT, VARIABLE_NAME

RELEASE_FILE = "release.yaml"
VARIABLES_FILE = "env.yaml"
LONGEST_ADDRESS = 46
"""Letters of a service's name and a revision tag together, at most."""

_LINES = 'lines of NAME: "value", or {} for none'
_OTHERWISE_IN_YAML_1_1 = re.compile(
    r"(?i:y|n|yes|no|on|off)"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"  # base 60
    r"|[-+]?(0b)?[0-9][0-9_,]*(\.[0-9_]*)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
)


def load_plan(directory: Path, environment: str, *, alone: bool = False) -> Plan:
    """Read release.yaml and the file of variables that it names, as one environment sees them.

    What `environments.NAME` says goes over the rest: mappings are merged, all else is replaced.
    Every environment is checked, not only the one that is asked for; but where it is `alone`: users
    who wait for a way back do not wait for another environment to be mended.

    Raises:
        SettingsError: with all complaints about both files.
    """
    found: list[Complaint] = []
    views = _views(directory, environment, found.append)
    if not views:
        empty = Node(RELEASE_FILE, 0, (), {})
        _View("", empty, empty).variables(directory, found.append)
    plans = {
        view.environment: view.plan(directory, found.append)
        for view in views
        if view.environment == environment or not alone
    }
    plan = plans.get(environment)
    if found or plan is None:
        raise SettingsError(sorted(dict.fromkeys(found), key=_place))
    return plan


def environments(directory: Path) -> tuple[str, ...]:
    """The names of the environments of release.yaml, as far as they can be read; none, else."""
    document = read_document(directory, RELEASE_FILE, _silently)
    if document is None or not isinstance(document.value, dict):
        return ()
    return tuple(name for name, _ in _overlays(document, _silently))


def _silently(_: Complaint) -> None:
    """Leave it to `load_plan` to complain."""


def _place(complaint: Complaint) -> tuple[bool, str, int]:
    return complaint.file != RELEASE_FILE, complaint.file, complaint.line


@dataclass(frozen=True, slots=True)
class _View:
    """release.yaml as one environment sees it; `overlay` is what the environment alone says."""

    environment: str
    tree: Node
    overlay: Node

    @property
    def secrets(self) -> frozenset[str]:
        node, absent = self.tree.nearest(("deploy", "update-secrets"))
        return frozenset() if absent else frozenset(node.entries)

    @property
    def known(self) -> are.Known:
        node, absent = self.tree.nearest(("probes", "identities"))
        return are.Known(self.secrets, frozenset() if absent else frozenset(node.entries))

    def variables(self, directory: Path, complain: Complain) -> dict[str, str] | None:
        """Those of the file that is named, or of env.yaml where there is one; None: not said."""
        node, absent = self.tree.nearest(("deploy", "env-vars-file"))
        if absent and not (directory / VARIABLES_FILE).exists():
            return None
        usable = not absent and are.RELATIVE_PATH.fits(node.value)
        file = str(node.value) if usable else VARIABLES_FILE
        return read_variables(directory, file, self.secrets, complain)

    def plan(self, directory: Path, complain: Complain) -> Plan | None:
        variables = self.variables(directory, complain)
        try:
            release = Release.model_validate(self.tree.content, context=self.known)
        except ValidationError as error:
            for complaint in complaints_of(error, self.tree, self.overlay):
                complain(complaint)
            self._relate(without_refused(error, self.tree.content), variables, complain)
            return None
        self._relate(self.tree.content, variables, complain)
        return release.plan(self.environment, variables)

    def _relate(
        self, content: object, variables: Mapping[str, str] | None, complain: Complain
    ) -> None:
        """Complain about values that do not go together, of those that are values."""
        found = content if isinstance(content, dict) else {}
        try:
            deploy = DeploySection.model_validate(found.get("deploy", {}))
        except ValidationError:
            return
        for key, needs in broken(deploy.settings(None), deploy.service_settings()):
            node, _ = self.tree.nearest(("deploy", *key))
            complain(node.complaint(got=shown(node.content), needs=needs))
        if variables is not None and deploy.settings(None).variables is not None:
            node, _ = self.tree.nearest(("deploy", "set-env-vars"))
            needs = "update-env-vars, which go over those of the file, or no such file"
            complain(node.complaint(got="variables beside those of a file", needs=needs))
        self._fit_names(found.get("service"), deploy, complain)

    def _fit_names(self, service: object, deploy: DeploySection, complain: Complain) -> None:
        """Google puts a revision tag and the service's name into one part of an address."""
        if not are.SERVICE_NAME.fits(service):
            return
        of_service = f"for a service of {len(str(service))} letters"
        for path, tag, what in (
            (("deploy", "tag"), deploy.tag, "the default"),
            (("deploy", "baseline-tag"), deploy.baseline_tag, "the default"),
            (("service",), START_TAG, "a revision tag of a rollback"),
        ):
            letters = len(str(service)) + len(tag)
            if letters > LONGEST_ADDRESS:
                node, absent = self.tree.nearest(path)
                line = self.tree.nearest(("service",))[0].line if absent else node.line
                told = f" ({what})" if absent or tag == START_TAG else ""
                needs = f"{LONGEST_ADDRESS} letters at most of both together, not {letters}"
                got = f"{tag!r}{told} {of_service}"
                complain(Complaint(self.tree.file, line, spelled(path), got, needs))


def _views(directory: Path, environment: str, complain: Complain) -> list[_View]:
    document = read_document(directory, RELEASE_FILE, complain)
    if document is None:
        return []
    if not isinstance(document.value, dict):
        needs = "keys with values, service, build and environments at least"
        complain(document.complaint(got=shown(document.content), needs=needs))
        return []
    shared = {key: node for key, node in document.value.items() if key != "environments"}
    base = replace(document, value=shared)
    overlays = dict(_overlays(document, complain))
    _want(environment, document, complain)
    views = [_View(name, base.overlaid(overlay), overlay) for name, overlay in overlays.items()]
    return views or [_View("", base, base)]


def _overlays(document: Node, complain: Complain) -> Iterator[tuple[str, Node]]:
    node, absent = document.nearest(("environments",))
    if absent or not node.entries:
        got = shown(None if absent else node.content)
        needs = "a mapping of names, such as local and prod, each with project and region"
        complain(Complaint(node.file, 0 if absent else node.line, "environments", got, needs))
        return
    for name, entry in node.entries.items():
        if not are.ENVIRONMENT_NAME.fits(name):
            complain(entry.complaint(got="this name", needs=are.ENVIRONMENT_NAME.needs))
        elif not isinstance(entry.value, dict):
            needs = "a mapping with project and region"
            complain(entry.complaint(got=shown(entry.content), needs=needs))
        else:
            yield name, entry


def _want(environment: str, document: Node, complain: Complain) -> None:
    node, _ = document.nearest(("environments",))
    if node.path and node.entries and environment not in node.entries:
        key = spelled((*node.path, environment))
        needs = unknown_key(node.entries, environment)
        complain(Complaint(node.file, node.line, key, "no such environment", needs))


def read_variables(
    directory: Path, file: str, secrets: Collection[str], complain: Complain
) -> dict[str, str]:
    """Read a flat map of text, as `--env-vars-file` takes it.

    `secrets` are the names that release.yaml fills already.
    """
    document = read_document(directory, file, complain)
    if document is None:
        return {}
    if not isinstance(document.value, dict):
        got = "a list" if isinstance(document.value, list) else shown(document.content)
        complain(document.complaint(got=got, needs=_LINES))
    for name, node in document.entries.items():
        for complaint in _complaints_about(name, node, secrets):
            complain(complaint)
    return {name: str(node.value) for name, node in document.entries.items()}


def _complaints_about(name: str, node: Node, secrets: Collection[str]) -> Iterator[Complaint]:
    if not VARIABLE_NAME.fits(name):
        yield node.complaint(got="this name", needs=VARIABLE_NAME.needs)
    if name in secrets:
        needs = "it there alone, or here alone"
        yield node.complaint(got="a variable that deploy.update-secrets fills too", needs=needs)
    if isinstance(node.value, dict | list):
        got = "a list" if isinstance(node.value, list) else "a mapping"
        yield node.complaint(got=got, needs="one text; put JSON in quotes")
    elif not isinstance(node.value, str) or _OTHERWISE_IN_YAML_1_1.fullmatch(node.plain):
        yield node.complaint(got=_unquoted(node), needs=json.dumps(node.plain, ensure_ascii=False))
    elif "\0" in node.value:
        yield node.complaint(got="text with a NUL", needs="text without one")
    elif len(node.value.encode()) > LONGEST_TEXT:
        got = f"{len(node.value.encode()):,} bytes"
        yield node.complaint(got=got, needs=f"at most {LONGEST_TEXT:,} bytes")


def _unquoted(node: Node) -> str:
    match node.value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {node.plain} without quotes"
        case int() | float():
            return f"the number {node.plain} without quotes"
        case _:
            return f"{node.plain} without quotes, which older YAML does not read as text"
