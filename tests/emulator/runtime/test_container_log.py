"""Lines from the frames in which the engine hands out a log."""

from datetime import UTC, datetime

from cloudrun_emulator.runtime.container_log import whole_lines

TIME = datetime(2025, 10, 9, 8, 53, 20, 123456, tzinfo=UTC)
STAMP = b"2025-10-09T08:53:20.123456789Z "
LATER = b"2025-10-09T08:53:21.000000000Z "


def test_a_frame_is_a_line_with_its_time() -> None:
    assert list(whole_lines([STAMP + b"a b\n"])) == [(TIME, "a b")]


def test_frames_of_one_line_are_joined_and_keep_the_first_time() -> None:
    assert list(whole_lines([STAMP + b"a", LATER + b"b\n"])) == [(TIME, "ab")]


def test_a_character_cut_between_frames_is_whole() -> None:
    first, second = "é".encode()[:1], "é".encode()[1:]
    assert list(whole_lines([STAMP + first, LATER + second + b"\n"])) == [(TIME, "é")]


def test_an_unfinished_last_line_counts() -> None:
    assert list(whole_lines([STAMP + b"a"])) == [(TIME, "a")]


def test_an_empty_line_is_a_line() -> None:
    assert list(whole_lines([STAMP + b"\n"])) == [(TIME, "")]


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert list(whole_lines([STAMP + b"\xff\n"])) == [(TIME, "\ufffd")]
