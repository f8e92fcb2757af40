"""Kinds of secrets, and of what is none, that detect-secrets does not know by itself."""

import re

from detect_secrets.plugins.base import RegexBasedDetector

_REFERENCE = re.compile(r"[\w-]+:(?:\d+|latest)")


class GoogleKeyDetector(RegexBasedDetector):
    """API keys and OAuth client secrets of Google."""

    secret_type = "Google Key"  # noqa: S105 - a name # pragma: allowlist secret
    denylist = (re.compile(r"AIza[\w-]{35}"), re.compile(r"GOCSPX-[\w-]{28}"))


class ServiceKeyDetector(RegexBasedDetector):
    """Keys such as `sk-proj-...`, as services of models give them out."""

    secret_type = "Service Key"  # noqa: S105 - a name # pragma: allowlist secret
    denylist = (re.compile(r"(?<![\w-])sk-(?:[a-z]+\d*-)*(?=\w*\d)\w{20,}"),)


class AssignedTokenDetector(RegexBasedDetector):
    """Values with letters and digits under a name that ends as credentials do."""

    secret_type = "Assigned Token"  # noqa: S105 - a name # pragma: allowlist secret
    denylist = (
        re.compile(
            r"(?:token|bypass|credential)s?[\"']?\s*[:=]\s*[\"']?"
            r"(?=[a-z_+=-]*\d)(?=[\d_+=-]*[a-z])([\w+=-]{16,})(?![\w.(\[:])",
            re.IGNORECASE,
        ),
    )


def is_reference(secret: str) -> bool:
    """True for `NAME:VERSION`, by which release.yaml refers to Secret Manager."""
    return _REFERENCE.fullmatch(secret) is not None
