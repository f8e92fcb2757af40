"""Exit codes of what a signal ended: 128 and the signal's number."""

from signal import SIGKILL, SIGTERM

KILLED = 128 + SIGKILL
TERMINATED = 128 + SIGTERM
