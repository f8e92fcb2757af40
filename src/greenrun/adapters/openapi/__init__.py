"""OpenAPI documents, by schemathesis."""
