"""What the service reads from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from app import RefusedError
from app.database import Database
from app.faults import Faults


@dataclass(frozen=True)
class Settings:
    """Everything that varies between environments; secrets print as stars."""

    database: Database
    faults: Faults
    port: int
    revision: str | None
    api_token: SecretStr
    analysis_api_key: SecretStr
    dev_bypass: SecretStr

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Raise RefusedError for what is missing or cannot be understood."""
        if not environment.get("API_TOKEN"):
            raise RefusedError("API_TOKEN is not set: no caller could be authorised")
        return cls(
            database=Database.named_by(environment),
            faults=Faults.parse(environment.get("FAULTS", "")),
            port=int(environment.get("PORT", "8080")),
            revision=environment.get("K_REVISION"),
            api_token=SecretStr(environment["API_TOKEN"]),
            analysis_api_key=SecretStr(environment.get("ANALYSIS_API_KEY", "")),
            dev_bypass=SecretStr(environment.get("DEV_BYPASS", "")),
        )
