"""Cloud Monitoring: what it tells of a service, and the alert policies that it holds."""
