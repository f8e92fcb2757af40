"""Sentences of the reference service's own."""
