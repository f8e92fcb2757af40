"""Identity tokens as Google signs them, and the metadata server that hands them out."""
