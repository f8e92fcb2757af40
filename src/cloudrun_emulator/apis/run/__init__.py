"""Cloud Run: services and their revisions, jobs and their executions."""
