"""A rehearsal: the service that it begins with, and what a green one vouches for."""
