"""The public side: Envoy, with one loopback address per route."""
