"""Cloud Logging over the output of containers and the requests of the ingress."""
