"""Secrets where they must not be, by detect-secrets."""
