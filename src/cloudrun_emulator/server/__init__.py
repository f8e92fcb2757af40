"""The wire: gRPC and REST, derived from the official client packages."""
