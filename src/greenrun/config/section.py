"""What every section of release.yaml has in common."""

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

REQUIRED: Any = Field(default=None)
"""An absent key is read as nothing, and nothing is refused by every form."""


def written(text: Any) -> Any:  # noqa: ANN401 - a default stands in the form that people write
    """A default in the form that release.yaml has it."""
    return Field(default=text)


class Section(BaseModel):
    """A mapping with known keys; what is left out is checked like what is written."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )


def _written_out(value: object) -> object:
    if value is None:
        raise ValueError("its keys below it, or to be left out")
    return value


Optional = BeforeValidator(_written_out)
"""A section that may be left out, but does not stand empty: that could be a slip."""
