"""Releases to Cloud Run, performed and proven by pytest."""
