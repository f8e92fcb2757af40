"""Faults to be switched on: calls refused, replies lost, failing revisions, late data."""
