"""Pages are judged by what a browser saw of them, all of them at once."""

from collections.abc import Sequence

import pytest

from greenrun.checks import pages
from greenrun.checks.pages import PAGES
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.interfaces import Element, Seen
from greenrun.release.release import Release
from tests.checks.deployed import deploy
from tests.conftest import World

WELL = Seen(200, "Costs of today", screenshot=b"\x89PNG well")
URL = "http://service.test/candidate"


@pytest.fixture
def deployed(release: Release) -> Release:
    return deploy(release)


def opened(release: Release, *rows: Sequence[str]) -> None:
    pages.open_well(release, release.candidate.url, PAGES.read(rows))


def complaint(release: Release, *rows: Sequence[str]) -> list[str]:
    with pytest.raises(GateClosed) as closed:
        opened(release, *rows)
    return closed.value.message.splitlines()


def test_pages_that_are_well_pass_with_a_screenshot_each(deployed: Release, world: World) -> None:
    world.browser.pages = {"/candidate/": WELL, "/candidate/memory": WELL}
    table = (("page", "shows", "title", "as"), ("/", '#total "12"; "Sum"', "Costs", "nobody"))
    deployed.prober = type(deployed.prober)(
        deployed.dependencies, {"a user": {"a": "b"}, "nobody": {}}
    )
    opened(deployed, *table, ("/memory", "", "", ""))
    assert [(visit.url, visit.headers) for visit in world.browser.visits] == [
        (f"{URL}/", {}),
        (f"{URL}/memory", {"a": "b"}),
    ]
    assert world.browser.visits[0].elements == (
        Element('#total "12"', selector="#total", text="12"),
        Element('"Sum"', text="Sum"),
    )
    assert world.evidence.kept["/ as nobody"] == b"\x89PNG well"
    assert world.evidence.kept["/memory as a user"] == b"\x89PNG well"
    assert world.evidence.kept["/ as nobody: what the browser saw"] == (
        'status   200\ntitle    Costs of today\nshows    #total "12"\nshows    "Sum"'
    )


def test_all_findings_of_all_pages_are_told_at_once(deployed: Release, world: World) -> None:
    heading = Element('heading "Costs"')
    world.browser.pages = {
        "/candidate/": Seen(
            200,
            "Error",
            missing=(heading,),
            console=("boo",),
            errors=("TypeError: x",),
            failed=("GET /app.css: status 404",),
            pending=("GET /slow.js",),
        ),
        "/candidate/down": Seen(None, failed=("GET /down: net::ERR_CONNECTION_REFUSED",)),
    }
    rows = (("/", 'heading "Costs"', "Costs"), ("/down", "", ""), ("/gone", "", ""))
    assert complaint(deployed, ("page", "shows", "title"), *rows) == [
        '/ as a user: got no heading "Costs" within 10 s, needs it to be seen',
        "/ as a user: got a page that waits for GET /slow.js, needs it loaded within 10 s",
        "/ as a user: got title 'Error', needs 'Costs'",
        "/ as a user: got console error 'boo', needs none",
        "/ as a user: got uncaught 'TypeError: x', needs no such error",
        "/ as a user: got GET /app.css: status 404, needs every request answered",
        "/down as a user: got no answer (GET /down: net::ERR_CONNECTION_REFUSED), needs status 200",
        "/gone as a user: got status 404, needs 200",
    ]


def test_complaints_that_everybody_knows_of_are_allowed(deployed: Release, world: World) -> None:
    world.browser.pages = {
        "/candidate/": Seen(200, console=("third-party cookie",), failed=("GET /ad: status 451",))
    }
    opened(deployed, ("page", "allowed"), ("/", "third-party cookie|GET /ad: "))
    assert complaint(deployed, ("page", "allowed"), ("/", "third-party cookie")) == [
        "/ as a user: got GET /ad: status 451, needs every request answered"
    ]


def test_a_page_without_a_screenshot_says_so(deployed: Release, world: World) -> None:
    world.browser.pages = {"/candidate/": Seen(200)}
    opened(deployed, ("page",), ("/",))
    saw = world.evidence.kept["/ as a user: what the browser saw"]
    assert isinstance(saw, str)
    assert saw.endswith("no screenshot could be taken")


def test_selectors_and_identities_are_read_before_any_page_is_opened(
    deployed: Release, world: World
) -> None:
    with pytest.raises(ReleaseError, match=r"got element #\[, needs CSS\ngot element p#\["):
        opened(deployed, ("page", "shows"), ("/", "#["), ("/memory", "#ok; p#["))
    with pytest.raises(ReleaseError, match="'a stranger'"):
        opened(deployed, ("page", "as"), ("/", "a user"), ("/", "a stranger"))
    assert world.browser.visits == []


@pytest.mark.parametrize(
    ("written", "element"),
    [
        (
            'heading "Costs; today"',
            Element('heading "Costs; today"', "heading", "", "Costs; today"),
        ),
        ("#total", Element("#total", "", "#total", "")),
        ('ul > li.due "2 USD"', Element('ul > li.due "2 USD"', "", "ul > li.due", "2 USD")),
        ('input[name="a b"]', Element('input[name="a b"]', "", 'input[name="a b"]', "")),
        ('"Costs"', Element('"Costs"', "", "", "Costs")),
    ],
)
def test_elements_are_named_by_role_selector_or_text(written: str, element: Element) -> None:
    (page,) = PAGES.read((("page", "shows"), ("/", f"{written} ; ")))
    assert page.elements == (element,)


@pytest.mark.parametrize(
    ("rows", "got"),
    [
        (
            [("page", "show"), ("/", "")],
            "got columns page, show, needs page and any of shows, title, as, allowed",
        ),
        ([("shows",), ("#a",)], "got columns shows, needs page"),
        ([("page", "shows")], "table of pages: got no row, needs at least one"),
        ([("page",), ("memory",)], "page: got 'memory', needs a path like /memory"),
        ([("page",), ("//elsewhere",)], "page: got '//elsewhere'"),
        ([("page", "shows"), ("/", 'heading "Costs')], "needs texts between two quotes"),
        ([("page", "shows"), ("/", 'heading ""')], "needs texts between two quotes"),
        ([("page", "allowed"), ("/", "(")], "allowed: got '(', needs a regular expression"),
    ],
)
def test_tables_that_cannot_be_meant(rows: Sequence[Sequence[str]], got: str) -> None:
    with pytest.raises(ReleaseError) as error:
        PAGES.read(rows)
    assert got in str(error.value)


def test_wrong_cells_of_all_rows_are_told_at_once() -> None:
    with pytest.raises(ReleaseError) as error:
        PAGES.read((("page", "shows"), ("memory", ""), ("/", '"')))
    assert len(error.value.message.splitlines()) == 2
