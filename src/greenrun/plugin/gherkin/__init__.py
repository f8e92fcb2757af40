"""Feature files: read, bound to step definitions, and performed."""
