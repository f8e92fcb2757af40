"""The local cloud on the wire: gRPC and REST, derived from the official client packages."""
