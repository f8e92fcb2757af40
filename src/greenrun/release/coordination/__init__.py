"""One release of a service at a time: its lock, its journal, and the guard around every change."""
