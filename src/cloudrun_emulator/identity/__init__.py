"""Who callers are: identity tokens as Google signs them, and the server that hands them out."""
