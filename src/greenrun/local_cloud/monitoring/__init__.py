"""Cloud Monitoring over the requests of the ingress."""
