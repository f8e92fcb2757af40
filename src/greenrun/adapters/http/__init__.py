"""Requests as users send them."""
