"""Cloud Monitoring: requests of the ingress, memory of instances, and alert policies."""
