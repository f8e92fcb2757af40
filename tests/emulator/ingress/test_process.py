"""What is told of an Envoy that ends."""

from cloudrun_emulator.ingress.process import end_of_log

REASON = (
    "assert failure: inotify_fd_ >= 0. Details: Consider increasing fs.inotify.max_user_instances"
)
LOG = f"""\
[2026-11-21 22:57:08.088][12520][warning][main] [source/server/server.cc:1] no overload manager
[2026-11-21 22:57:08.089][12520][critical][assert] [source/watcher_impl.cc:25] {REASON}
[2026-11-21 22:57:08.089][12520][error][envoy_bug] [./source/assert.h:60] stacktrace for envoy bug
{"[2026-11-21 22:57:08.094][12520][error][envoy_bug] [./source/assert.h:66] UNKNOWN" * 40}
[2026-11-21 22:57:08.094][12520][critical][backtrace] [./source/backtrace.h:173] Caught Aborted
"""


def test_the_reason_of_an_abort_is_told_without_its_stack() -> None:
    first, last = end_of_log(LOG).splitlines()
    assert first.endswith("no overload manager")
    assert last.endswith(REASON)


def test_a_long_log_is_told_by_its_end() -> None:
    told = end_of_log("".join(f"line {number}\n" for number in range(1000)))
    assert told.endswith("line 998\nline 999")
    assert len(told) <= 2000
