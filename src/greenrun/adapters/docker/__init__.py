"""The Docker engine: images as they are built, looked at and pushed."""
