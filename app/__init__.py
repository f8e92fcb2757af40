"""The reference service: small, real, and with something for a release to prove."""


class RefusedError(ValueError):
    """In one line, without a secret's value: why the service or a command does not go on."""
