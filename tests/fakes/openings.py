"""A browser and a reader of OpenAPI documents, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from greenrun.model.interfaces import Element, OpenApiTest, OpenApiTestResult, Seen, Visit
from tests.fakes.telling import URL


@dataclass
class FakeBrowser:
    """Shows what a test has put at the path of the URL; selectors with a `#[` are unreadable."""

    pages: dict[str, Seen] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)

    def unreadable(self, elements: Sequence[Element]) -> Sequence[str]:
        return [f"got element {each}, needs CSS" for each in elements if "#[" in each.selector]

    def open(self, visit: Visit) -> Seen:
        self.visits.append(visit)
        return self.pages.get(visit.url.removeprefix(URL), Seen(404, missing=visit.elements))


@dataclass
class FakeExaminer:
    """Finds what a test has put there."""

    finds: OpenApiTestResult = field(default_factory=lambda: OpenApiTestResult({}))
    asked: list[OpenApiTest] = field(default_factory=list)

    def examine(self, examination: OpenApiTest) -> OpenApiTestResult:
        self.asked.append(examination)
        return self.finds
