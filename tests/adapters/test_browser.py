"""Pages in a real Chromium, against a site on this machine."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from greenrun.adapters.browser.chromium import Chromium
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Element, Seen, Visit
from tests.site import Page, Site, served

SECRET = "hunter2hunter2"
ICON = '<link rel="icon" href="data:,">'
DEADLINE = 20.0

COSTS = f"""<!doctype html><title>Costs</title>{ICON}
<h1>What it costs</h1><p>Total: <output id="total">12 USD</output></p>
<button>Reload</button><p hidden>not for you</p>"""


def redact(text: str) -> str:
    return text.replace(SECRET, "********")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with closing(Chromium(redact)) as chromium:
        yield chromium


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as site:
        yield site


@pytest.fixture
def elsewhere() -> Iterator[Site]:
    with served() as site:
        yield site


def visit(
    chromium: Chromium, site: Site, body: str, *elements: Element, seconds: float = 5
) -> Seen:
    """What is seen of a page with this body."""
    site.pages["/"] = Page(body)
    return chromium.open(Visit(f"{site.url}/", elements, within=timedelta(seconds=seconds)))


def role(role: str, text: str) -> Element:
    return Element(f'{role} "{text}"', role=role, text=text)


def css(selector: str, text: str = "") -> Element:
    return Element(selector, selector=selector, text=text)


def text(text: str) -> Element:
    return Element(f'"{text}"', text=text)


def test_a_page_without_end_is_drawn_as_far_as_it_is_seen(chromium: Chromium, site: Site) -> None:
    seen = visit(chromium, site, f"<!doctype html>{ICON}<div style='height: 9999999px'>")
    width, height = (int.from_bytes(seen.screenshot[i : i + 4], "big") for i in (16, 20))
    assert (width, height) == (1280, 800)


def test_of_what_a_page_says_without_end_the_beginning_is_kept(
    chromium: Chromium, site: Site
) -> None:
    script = "for (let i = 0; i < 300; i++) console.error(i + 'x'.repeat(1000))"
    seen = visit(chromium, site, f"<!doctype html>{ICON}<script>{script}</script>")
    assert len(seen.console) == 199
    assert seen.errors == ("101 more messages, which are not kept",)


def test_a_page_that_is_well_is_seen_whole(chromium: Chromium, site: Site) -> None:
    looked_for = (role("heading", "What it costs"), css("#total", "12"), text("Total:"))
    seen = visit(chromium, site, COSTS, *looked_for)
    assert seen == Seen(200, "Costs", screenshot=seen.screenshot)
    assert seen.screenshot.startswith(b"\x89PNG")


def test_what_scripts_add_later_is_waited_for(chromium: Chromium, site: Site) -> None:
    late = "<script>setTimeout(() => document.body.append('at last'), 300)</script>"
    assert visit(chromium, site, COSTS + late, text("at last")).missing == ()


def test_what_is_not_there_or_hidden_is_missing(chromium: Chromium, site: Site) -> None:
    absent = (role("button", "Buy"), css("#total", "13"), text("not for you"))
    seen = visit(chromium, site, COSTS, css("#total"), *absent, seconds=2)
    assert seen.missing == absent


def test_a_page_that_allows_only_its_own_scripts_is_seen(chromium: Chromium, site: Site) -> None:
    strict = {"Content-Security-Policy": "default-src 'self'; img-src data:"}
    site.pages["/"] = Page(COSTS, headers=strict)
    seen = chromium.open(Visit(f"{site.url}/", (css("#total"),)))
    assert seen == Seen(200, "Costs", screenshot=seen.screenshot)


def test_the_console_s_errors_are_told_and_nothing_less(chromium: Chromium, site: Site) -> None:
    said = f"<script>console.log('a'); console.warn('b'); console.error('c {SECRET}')</script>"
    assert visit(chromium, site, COSTS + said).console == ("c ********",)


def test_an_error_that_nobody_caught_is_told(chromium: Chromium, site: Site) -> None:
    thrown = "<script>undefinedThing()</script>"
    seen = visit(chromium, site, COSTS + thrown)
    assert seen.errors == ("ReferenceError: undefinedThing is not defined",)


def test_assets_that_are_refused_are_told_once(chromium: Chromium, site: Site) -> None:
    site.pages["/broken"] = Page(status=500)
    assets = """<link rel="stylesheet" href="/gone.css"><script src="/gone.js"></script>
    <img src="/gone.png"><script>fetch('/broken')</script>"""
    seen = visit(chromium, site, COSTS + assets)
    assert sorted(seen.failed) == [
        "GET /broken: status 500",
        "GET /gone.css: status 404",
        "GET /gone.js: status 404",
        "GET /gone.png: status 404",
    ]
    assert seen.console == ()


def test_an_asset_of_a_host_that_is_not_there_is_told(chromium: Chromium, site: Site) -> None:
    url = f"http://127.0.0.1:{free_port()}/a.js?key={SECRET}"
    seen = visit(chromium, site, f'{COSTS}<script src="{url}"></script>')
    assert seen.failed == (f"GET {redact(url)}: net::ERR_CONNECTION_REFUSED",)


def test_what_a_page_breaks_off_by_itself_is_no_failure(chromium: Chromium, site: Site) -> None:
    site.pages["/long"] = Page("begun", without_end=True)
    ended = """<script>const stop = new AbortController();
    fetch('/long', {signal: stop.signal}).then(() => stop.abort())
      .then(() => document.body.append('ended'))</script>"""
    seen = visit(chromium, site, COSTS + ended, text("ended"))
    assert (seen.missing, seen.failed, seen.console, seen.errors) == ((), (), (), ())


def test_an_asset_without_end_is_what_the_page_waits_for(chromium: Chromium, site: Site) -> None:
    site.pages["/endless.js"] = Page("begun", without_end=True)
    seen = visit(chromium, site, f'{COSTS}<script src="/endless.js"></script>', seconds=1)
    assert seen.pending == ("GET /endless.js",)
    assert seen.status == 200


def test_a_page_that_is_busy_for_ever_does_not_hold_us(chromium: Chromium, site: Site) -> None:
    begun = time.monotonic()
    seen = visit(chromium, site, f"{COSTS}<script>while (true) {{}}</script>", seconds=1)
    assert seen.pending in (("GET /",), ("its own scripts",))
    assert seen.screenshot == b""
    assert time.monotonic() - begun < DEADLINE
    assert visit(chromium, site, COSTS).status == 200


def test_another_status_is_told_without_a_wait_for_elements(chromium: Chromium, site: Site) -> None:
    begun = time.monotonic()
    seen = chromium.open(Visit(f"{site.url}/none", (text("anything"),)))
    assert (seen.status, seen.failed, seen.missing) == (404, (), ())
    assert time.monotonic() - begun < 5


def test_a_page_that_nobody_serves_has_no_status(chromium: Chromium) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    seen = chromium.open(Visit(f"{url}/?key={SECRET}"))
    assert seen.status is None
    assert "GET /?key=********: net::ERR_CONNECTION_REFUSED" in seen.failed[0]
    assert SECRET not in repr(seen)


def test_a_page_that_never_answers_is_given_up(chromium: Chromium) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        seen = chromium.open(Visit(url, within=timedelta(seconds=0.5)))
    assert seen.status is None
    assert seen.failed == ("GET /: nothing within 0.5 s",)


def test_the_identity_is_told_to_the_service_and_to_nobody_else(
    chromium: Chromium, site: Site, elsewhere: Site
) -> None:
    script = "text/javascript"
    elsewhere.pages |= {"/direct.js": Page(kind=script), "/led.js": Page(kind=script)}
    elsewhere.pages["/frame"] = Page(COSTS)
    site.pages["/"] = Page("", 302, headers={"Location": "/home"})
    site.pages["/away"] = Page("", 302, headers={"Location": f"{elsewhere.url}/led.js"})
    site.pages["/api"] = Page("{}", kind="application/json")
    site.pages["/home"] = Page(
        f"""{COSTS}<script src="/away"></script><script src="{elsewhere.url}/direct.js"></script>
        <iframe src="{elsewhere.url}/frame"></iframe><script>fetch("/api")</script>"""
    )
    said = {"Authorization": f"Bearer {SECRET}", "x-dev-bypass": SECRET}

    seen = chromium.open(Visit(f"{site.url}/", headers=said))

    assert (seen.status, seen.failed, seen.console) == (200, (), ())
    for path in ("/", "/home", "/away", "/api"):
        assert (
            site.headers_of(path).items()
            >= {
                "authorization": f"Bearer {SECRET}",
                "x-dev-bypass": SECRET,
            }.items()
        )
    assert sorted(path for path, _ in elsewhere.asked) == ["/direct.js", "/frame", "/led.js"]
    assert SECRET not in repr(elsewhere.asked)


def test_a_header_that_http_does_not_carry_is_refused_by_its_name(
    chromium: Chromium, site: Site
) -> None:
    visit = Visit(f"{site.url}/", headers={"x-note": "well", "X-Token": f"{SECRET}\n"})
    with pytest.raises(CallFailed, match="could not send the header X-Token") as refused:
        chromium.open(visit)
    assert SECRET not in str(refused.value)
    assert refused.value.hint
    assert site.asked == []


def test_each_visit_is_the_first(chromium: Chromium, site: Site) -> None:
    counting = (
        "<script>localStorage.n = (localStorage.n || 0) + 1; document.cookie = 'a=b'</script>"
    )
    for _ in range(2):
        told = "<script>document.body.append(`visit ${localStorage.n}`)</script>"
        assert visit(chromium, site, COSTS + counting + told, text("visit 1")).missing == ()
    assert not any("cookie" in headers for _, headers in site.asked)


def test_selectors_that_are_none_are_told_together(chromium: Chromium) -> None:
    refused = chromium.unreadable([css("#total"), css("#[["), role("heading", "x"), css("p >")])
    assert [line.partition(":")[0] for line in refused] == [
        "got element #[[, needs a role or a CSS selector",
        "got element p >, needs a role or a CSS selector",
    ]


def test_asyncio_stays_free_for_others(chromium: Chromium, site: Site) -> None:
    visit(chromium, site, COSTS)

    async def other() -> str:
        return "done"

    assert asyncio.run(other()) == "done"


def test_a_browser_that_died_is_started_again(site: Site) -> None:
    with closing(Chromium(redact)) as chromium:
        before = browsers_below(os.getpid())
        visit(chromium, site, COSTS)
        browser = new_browser(before)
        os.kill(browser, signal.SIGKILL)
        until(lambda: not alive(browser))
        assert visit(chromium, site, COSTS).status == 200


def test_a_browser_that_dies_while_it_waits_is_told_of(site: Site) -> None:
    with closing(Chromium(redact)) as chromium:
        before = browsers_below(os.getpid())
        visit(chromium, site, COSTS)
        browser = new_browser(before)
        site.asked = []

        def kill() -> None:
            until(lambda: bool(site.asked))
            os.kill(browser, signal.SIGKILL)

        Thread(target=kill).start()
        with pytest.raises(CallFailed, match=r"Chromium broke off"):
            visit(chromium, site, COSTS, css("#never"), seconds=DEADLINE)


def test_closed_it_leaves_no_process(site: Site) -> None:
    before = set(below(os.getpid()))
    with closing(Chromium(redact)) as chromium:
        visit(chromium, site, COSTS)
        started = {new_browser(before), *below(os.getpid())} - before
    until(lambda: not any(map(alive, started)))


def test_a_machine_without_a_browser_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with closing(Chromium(redact)) as chromium, pytest.raises(CallFailed) as failed:
        chromium.open(Visit("http://127.0.0.1:1/"))
    assert "got no browser" in failed.value.message
    assert "playwright install chromium" in failed.value.hint


def test_a_browser_that_does_not_start_is_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "chromium").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with closing(Chromium(redact)) as chromium, pytest.raises(CallFailed, match="did not start"):
        chromium.open(Visit("http://127.0.0.1:1/"))


INTERRUPTED = """
import sys
from contextlib import closing
from datetime import timedelta
from greenrun.adapters.browser.chromium import Chromium
from greenrun.model.interfaces import Element, Visit
with closing(Chromium(str)) as chromium:
    chromium.open(Visit(sys.argv[1]))
    print("open", flush=True)
    chromium.open(Visit(sys.argv[1], (Element("#never", selector="#never"),),
                        within=timedelta(seconds=2)))
"""


@pytest.mark.parametrize("whom", ["the release", "everybody, as Ctrl-C does"])
def test_interrupted_it_leaves_no_process(site: Site, whom: str) -> None:
    site.pages["/"] = Page(COSTS)
    command = [sys.executable, "-c", INTERRUPTED, f"{site.url}/"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        until(lambda: len(site.asked) == 2)
        family = below(process.pid)
        kill = os.kill if whom == "the release" else os.killpg
        kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=DEADLINE)
    assert said.rstrip().endswith("KeyboardInterrupt")
    until(lambda: not any(map(alive, family)))


def test_killed_it_leaves_no_process(site: Site) -> None:
    site.pages["/"] = Page(COSTS)
    command = [sys.executable, "-c", INTERRUPTED, f"{site.url}/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        family = below(process.pid)
        process.kill()
        process.communicate(timeout=DEADLINE)
    until(lambda: not any(map(alive, family)))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def below(process: int) -> list[int]:
    """Every process that this one, or one of these, has started."""
    children = [int(each) for each in _children(process)]
    return [each for child in children for each in (child, *below(child))]


def browsers_below(process: int) -> list[int]:
    """Chromium itself, each before what it has forked and that has not become something else."""
    return [each for each in below(process) if _is_browser(each)]


def new_browser(before: Collection[int]) -> int:
    """The one that was not there before; the kernel may miss children while others end."""
    found: list[int] = []

    def is_seen() -> bool:
        found.extend(each for each in browsers_below(os.getpid()) if each not in before)
        return bool(found)

    until(is_seen)
    return found[0]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _children(process: int) -> list[str]:
    tasks = Path(f"/proc/{process}/task")
    try:
        return [
            each for task in tasks.iterdir() for each in (task / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _is_browser(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    name = Path(command.partition(b"\0")[0].decode()).name
    return alive(process) and name in ("chrome", "chromium") and b"--type=" not in command
