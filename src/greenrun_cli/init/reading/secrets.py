"""Values that are never written down: what looks like a secret by its name or by itself."""

import re
from pathlib import Path

from greenrun.adapters.secrets.scan import DetectSecrets

_NAMED = re.compile(
    r"(?i)(api_?key|token|secret|passw(or)?d|credential|private_?key|access_?key|dsn$|bypass)"
)


def looks_secret(name: str, value: str) -> bool:
    """True where the name says so, or the value is of a form that secrets have."""
    if _NAMED.search(name):
        return True
    return bool(DetectSecrets(Path()).in_text(name, f"{name}={value}"))
