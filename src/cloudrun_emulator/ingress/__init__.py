"""The public side of the local cloud: Envoy, with one loopback address per route."""
