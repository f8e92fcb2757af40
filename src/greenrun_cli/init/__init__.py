"""`greenrun init`: what is known of a service becomes its release.yaml and its features."""
