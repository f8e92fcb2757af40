"""Registries, by their HTTP API."""
