"""What an operator can choose: CAREERLENS_* variables, read once at the start."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.errors import HubError
from models.hub import open_hub
from serving.errors import SettingsError

PREFIX = "CAREERLENS_"


def _check_hub(address: str) -> str:
    try:
        open_hub(address)
    except HubError as error:
        raise PydanticCustomError("hub", "{sentence}", {"sentence": str(error)}) from error
    return address


Score = Annotated[float, Field(ge=0.0, le=1.0)]


class Settings(BaseSettings):
    """The settings; ``.env.example`` says what each means."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    hub: Annotated[str, AfterValidator(_check_hub)] = "file:hub"
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")] = "careerlens"
    cache: Path = Path(".cache/careerlens/hub")

    spam_review_threshold: Score | None = None
    spam_block_threshold: Score | None = None
    toxicity_review_threshold: Score | None = None
    toxicity_block_threshold: Score | None = None

    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    max_chars: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0

    port: Annotated[int, Field(ge=1, le=65535, validation_alias=AliasChoices("PORT", "port"))] = (
        3000
    )
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)
    ] = "info"

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> Self:
        for kind in ("spam", "toxicity"):
            review = getattr(self, f"{kind}_review_threshold")
            block = getattr(self, f"{kind}_block_threshold")
            if review is not None and block is not None and review > block:
                raise SettingsError(
                    f"{variable(f'{kind}_review_threshold')} is above "
                    f"{variable(f'{kind}_block_threshold')}: a message is reviewed before it is "
                    "blocked, so the review threshold cannot be the higher one"
                )
        return self


def variable(field: str) -> str:
    """Return the name of the environment variable that sets ``field``."""
    return "PORT" if field in ("PORT", "port") else PREFIX + field.upper()


def read_settings() -> Settings:
    """Return the settings of this environment.

    Raises
    ------
    SettingsError
        A sentence that names each variable with a wrong value, and not the value.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"{variable(str(fault['loc'][0]))}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"wrong value in the environment: {faults}") from None
