"""The sentences of features/, one module a noun."""
