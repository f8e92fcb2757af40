"""What is left after a release: its record, its charts, and the monitoring of the service."""
