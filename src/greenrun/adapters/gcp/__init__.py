"""What all clients of Google share, and the services that take one module each."""
