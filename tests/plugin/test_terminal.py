from dataclasses import dataclass, field

import pytest

from greenrun.plugin.terminal.reporter import FAILED, PASSED, ScenarioReporter, duration_text
from greenrun.plugin.terminal.screen import Screen


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Terminal:
    """Keeps what was written, and shows it as a terminal would."""

    written: str = ""
    clock: Clock = field(default_factory=Clock)

    def reporter(self, *, rewrites: bool = False, verbosity: int = 0) -> ScenarioReporter:
        screen = Screen(self.write, str, width=60, rewrites=rewrites)
        return ScenarioReporter(screen, verbosity, self.clock)

    def write(self, text: str) -> None:
        self.written += text

    @property
    def lines(self) -> list[str]:
        shown = [""]
        for part in self.written.replace("\x1b[1A", "\x00").replace("\r\x1b[K", "\x01"):
            if part == "\n":
                shown.append("")
            elif part == "\x00":
                shown.pop()
            elif part == "\x01":
                shown[-1] = ""
            else:
                shown[-1] += part
        return shown


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_a_sentence_is_one_line_with_its_time(terminal: Terminal) -> None:
    reporter = terminal.reporter()
    reporter.begin("Given a release")
    terminal.clock.now += 1.23
    reporter.end(PASSED)

    assert terminal.lines == [f"{'    ✓ Given a release':<48}      1.2 s", ""]


def test_a_long_sentence_is_wrapped(terminal: Terminal) -> None:
    reporter = terminal.reporter()
    reporter.begin("Then the candidate answers every request of every user in time")
    reporter.end(FAILED)

    assert terminal.lines == [
        "    ✗ Then the candidate answers every request",
        f"{'      of every user in time':<48}      0.0 s",
        "",
    ]


def test_progress_is_told_at_most_every_two_seconds_and_at_last(terminal: Terminal) -> None:
    reporter = terminal.reporter()
    reporter.begin("When the image is built")
    for step in range(1, 9):
        reporter.report(f"layer {step} of 8")
        terminal.clock.now += 0.5
    reporter.end(PASSED)

    assert [line.strip() for line in terminal.lines[:-2]] == [
        "… When the image is built",
        "layer 1 of 8",
        "layer 5 of 8",
        "layer 8 of 8",
    ]
    assert terminal.lines[-2].endswith("4.0 s")


def test_on_a_terminal_progress_is_rewritten(terminal: Terminal) -> None:
    reporter = terminal.reporter(rewrites=True)
    reporter.begin("When the image is built")
    reporter.report("layer 1 of 8")
    reporter.report("layer 2 of 8")

    assert terminal.lines == ["    … When the image is built", "      layer 2 of 8"]

    reporter.end(PASSED)

    assert terminal.lines == [f"{'    ✓ When the image is built':<48}      0.0 s", ""]


def test_progress_before_any_sentence_stands_alone(terminal: Terminal) -> None:
    terminal.reporter().report("starting the local cloud")

    assert terminal.lines == ["      starting the local cloud", ""]


def test_quiet_has_no_sentences_and_no_progress(terminal: Terminal) -> None:
    reporter = terminal.reporter(verbosity=-1)
    reporter.scenario("The image is built")
    reporter.begin("When the image is built")
    reporter.report("layer 1 of 8")
    reporter.end(PASSED)
    reporter.close("The image is built", 3, passed=True)

    assert terminal.lines == [f"{'  ✓ The image is built':<48}      3.0 s", ""]


def test_scenarios_that_are_not_attempted_are_one_line(terminal: Terminal) -> None:
    reporter = terminal.reporter()
    for _ in range(3):
        reporter.skip("stopped at Canary: it holds")
    reporter.skip("not needed, the release succeeded")
    reporter.close_skips()

    assert terminal.lines == [
        "  3 scenarios skipped: stopped at Canary: it holds",
        "  1 scenario skipped: not needed, the release succeeded",
        "",
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (52.4, "52 s"), (59.9, "1 min 0 s"), (250, "4 min 10 s")],
)
def test_durations_read_as_people_say_them(seconds: float, expected: str) -> None:
    assert duration_text(seconds) == expected


def test_every_line_is_redacted(terminal: Terminal) -> None:
    screen = Screen(terminal.write, lambda text: text.replace("secret", "*"), rewrites=True)
    screen.live("a secret")
    screen.line("the secret", lead="- ")

    assert "secret" not in terminal.written
