"""Extras of the package: what a sentence may need that not everybody installs."""

from dataclasses import dataclass
from importlib.util import find_spec

from greenrun.model.errors import ReleaseError


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra by its name in pyproject.toml, and the package by which it is known to be there.

    A module of sentences that needs one says so by a constant, EXTRA.
    """

    name: str
    package: str

    @property
    def is_installed(self) -> bool:
        return find_spec(self.package) is not None

    @property
    def lack(self) -> str:
        """What is missing, and the command that installs it."""
        return f"got no {self.package}, needs the extra {self.name}; hint: {self._command}"

    def require(self, deed: str) -> None:
        """Raise ReleaseError, naming what could not be done, where it is not installed."""
        if not self.is_installed:
            raise ReleaseError(
                f"could not {deed}: got no {self.package}, needs the extra {self.name}",
                hint=self._command,
            )

    @property
    def _command(self) -> str:
        return f"pip install 'greenrun[{self.name}]'"


BROWSER = Extra("browser", "playwright")
OPENAPI = Extra("openapi", "schemathesis")
