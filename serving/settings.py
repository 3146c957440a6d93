"""What an operator can choose: CAREERLENS_* variables, read once at the start."""

from collections.abc import Callable
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.errors import SignatureError
from models.extract import MEBIBYTE, Limits
from models.limits import DOCUMENT_CHARS, MESSAGE_CHARS
from models.manifest import Kind
from models.trust import Trust, read_keys
from serving.setting_checks import (
    check_adzuna_url,
    check_budget,
    check_database_url,
    check_folder,
    check_hub,
    check_key,
    check_log,
    check_origins,
    check_rate_limit,
    check_redis_url,
    check_region,
    check_revision,
    read_networks,
    read_secret_files,
    split_list,
    split_paths,
)
from serving.setting_error import SettingsError

PREFIX = "CAREERLENS_"
ADZUNA_PREFIX = "ADZUNA_"
KEYS = ("app_id", "app_key")

#: Settings that hold passwords; each can be given in a file that NAME_FILE names.
SECRETS = ("redis_url", "database_url", "answer_cache_secret")

# Of a body beside its texts and documents: names, boundaries, filters.
_OVERHEAD_BYTES = 64 * 1024


Score = Annotated[float, Field(ge=0.0, le=1.0)]
Key = Annotated[SecretStr, AfterValidator(check_key)]
Network = IPv4Network | IPv6Network
RateLimit = Annotated[str, BeforeValidator(str.lower), AfterValidator(check_rate_limit)]
Revision = Annotated[str, AfterValidator(check_revision)]


#: Where a bento that was built with the models in it has them: a hub of its own.
BAKED = Path(__file__).resolve().parent.parent / "baked"


class Settings(BaseSettings):
    """The settings; ``.env.example`` says what each means."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    hub: Annotated[str, AfterValidator(check_hub)] = (
        f"file:{BAKED}" if BAKED.is_dir() else "file:hub"
    )
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")] = "careerlens"
    cache: Path = Path(".cache/careerlens/hub")
    env: Literal["development", "production"] = "development"
    trusted_keys: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(split_paths)] = ()

    spam_revision: Revision | None = None
    toxicity_revision: Revision | None = None
    skills_revision: Revision | None = None
    matching_revision: Revision | None = None
    poll_seconds: Annotated[float, Field(ge=0.2, le=86_400)] = 30.0
    shadow_share: Score = 0.0
    shadow_log: Annotated[Path, AfterValidator(check_log)] | None = None
    prediction_share: Score = 0.0
    prediction_log: Annotated[Path, AfterValidator(check_folder)] | None = None
    prediction_text: bool = False
    reports: Path | None = None

    spam_review_threshold: Score | None = None
    spam_block_threshold: Score | None = None
    toxicity_review_threshold: Score | None = None
    toxicity_block_threshold: Score | None = None

    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    max_chars: Annotated[int, Field(ge=1, le=100_000)] = MESSAGE_CHARS
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    message_wait_seconds: Annotated[float, Field(gt=0, le=60)] = 0.004
    work_wait_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0

    max_document_bytes: Annotated[int, Field(ge=1024, le=100 * MEBIBYTE)] = 5 * MEBIBYTE
    max_document_pages: Annotated[int, Field(ge=1, le=10_000)] = 30
    max_document_chars: Annotated[int, Field(ge=1_000, le=DOCUMENT_CHARS)] = DOCUMENT_CHARS
    max_job_chars: Annotated[int, Field(ge=1_000, le=200_000)] = 50_000
    document_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    document_queue_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    document_memory_mib: Annotated[int, Field(ge=256)] = 1024
    document_workers: Annotated[int, Field(ge=1, le=64)] = 2
    max_uploads: Annotated[int, Field(ge=1, le=1_000)] = 4
    phone_region: (
        Annotated[str, BeforeValidator(str.upper), AfterValidator(check_region)] | None
    ) = None

    adzuna_url: Annotated[str, AfterValidator(check_adzuna_url)] = "https://api.adzuna.com"
    adzuna_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    adzuna_tries: Annotated[int, Field(ge=1, le=10)] = 3
    adzuna_budget: Annotated[str, AfterValidator(check_budget)] = (
        "25/minute,250/day,1000/7day,2500/month"
    )
    adzuna_cache_seconds: Annotated[float, Field(ge=0, le=86_400)] = 900.0

    redis_url: Annotated[SecretStr, AfterValidator(check_redis_url)] | None = None
    redis_url_file: Path | None = None
    redis_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = 0.1
    answer_cache_seconds: Annotated[float, Field(ge=0, le=30 * 86_400)] = 3600.0
    answer_cache_mib: Annotated[int, Field(ge=0, le=16_384)] = 32
    answer_cache_secret: Key | None = None
    answer_cache_secret_file: Path | None = None
    database_url: Annotated[SecretStr, AfterValidator(check_database_url)] = SecretStr(
        "sqlite:///feedback.db"
    )
    database_url_file: Path | None = None
    database_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    feedback_days: Annotated[int, Field(ge=1, le=36_500)] = 365

    keys_file: Path | None = None
    metrics_need_key: bool = False
    cors_origins: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(check_origins)
    ] = ()
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(read_networks)] = ()
    limit_moderate: RateLimit = "6000/minute"
    limit_resume: RateLimit = "600/minute"
    limit_jobs: RateLimit = "600/minute"
    limit_feedback: RateLimit = "600/minute"
    limit_admin: RateLimit = "60/minute"
    limit_address: RateLimit = "12000/minute"
    limit_failures: RateLimit = "30/minute"
    limits_on_failure: Literal["open", "closed"] = "open"

    port: Annotated[int, Field(ge=1, le=65535, validation_alias=AliasChoices("PORT", "port"))] = (
        3000
    )
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    max_connections: Annotated[int, Field(ge=16, le=100_000)] = 1_000
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3_600)] = 75
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    stop_seconds: Annotated[int, Field(ge=1, le=600)] = 25
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)
    ] = "info"

    @cached_property
    def trust(self) -> Trust:
        """Whose signatures count; the keys are read with the settings, and never again."""
        return Trust(self.env == "production", read_keys(self.trusted_keys))

    def pin(self, kind: Kind) -> str | None:
        """Return the version (``v3``) or bundle digest that alone may answer, if one is chosen."""
        pin: str | None = getattr(self, f"{kind}_revision")
        return pin

    @property
    def text_body_bytes(self) -> int:
        """Most bytes of a body of texts: JSON and forms spend up to 12 on a character."""
        return 12 * (self.max_document_chars + self.max_job_chars) + _OVERHEAD_BYTES

    def form_bytes(self, documents: int) -> int:
        """Most bytes of a form with so many documents, or texts in their place."""
        return max(documents * self.max_document_bytes + _OVERHEAD_BYTES, self.text_body_bytes)

    @property
    def upload_bytes(self) -> int:
        """Most bytes of all bodies that are held at a time: the largest has two documents."""
        return self.max_uploads * self.form_bytes(2)

    @property
    def document_limits(self) -> Limits:
        """What one document may take of everything."""
        return Limits(
            max_bytes=self.max_document_bytes,
            max_pages=self.max_document_pages,
            max_chars=self.max_document_chars,
            seconds=self.document_seconds,
            memory_bytes=self.document_memory_mib * MEBIBYTE,
        )

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        return read_secret_files(given, SECRETS, PREFIX)

    @model_validator(mode="after")
    def _keys_can_be_used(self) -> Self:
        try:
            _ = self.trust
        except SignatureError as error:
            raise SettingsError(str(error)) from error
        return self

    @model_validator(mode="after")
    def _predictions_have_a_place(self) -> Self:
        if self.prediction_share > 0 and self.prediction_log is None:
            raise SettingsError(
                f"{variable('prediction_share')} is above 0: set {variable('prediction_log')} to "
                "the folder for the log"
            )
        return self

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


class AdzunaKeys(BaseSettings):
    """Who we are to Adzuna: ADZUNA_APP_ID and ADZUNA_APP_KEY, or files that hold them.

    Apart from :class:`Settings`, so that whoever shows those shows no key; its own ``repr`` hides
    them too.
    """

    model_config = SettingsConfigDict(
        env_prefix=ADZUNA_PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    app_id: Key | None = None
    app_key: Key | None = None
    app_id_file: Path | None = None
    app_key_file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        return read_secret_files(given, KEYS, ADZUNA_PREFIX)

    def query(self) -> dict[str, str]:
        """Return the part of a request's query that says who asks."""
        keys: dict[str, SecretStr | None] = {name: getattr(self, name) for name in KEYS}
        return {name: key.get_secret_value() for name, key in keys.items() if key is not None}

    def missing(self) -> list[str]:
        """Return the variables that are still to be set."""
        return [ADZUNA_PREFIX + name.upper() for name in KEYS if getattr(self, name) is None]


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
        refusal = _wrong_value(error, variable)
    raise refusal


def read_adzuna_keys() -> AdzunaKeys:
    """Return the keys of this environment, some or all of them None.

    Raises
    ------
    SettingsError
        A sentence that names each variable with a wrong value, and not the value.
    """
    try:
        return AdzunaKeys()
    except ValidationError as error:
        refusal = _wrong_value(error, lambda name: ADZUNA_PREFIX + name.upper())
    raise refusal  # out here, so that pydantic's error, which holds the key, is not its context


def _wrong_value(error: ValidationError, name: Callable[[str], str]) -> SettingsError:
    faults = "; ".join(
        f"{name(str(fault['loc'][0]))}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )
    return SettingsError(f"wrong value in the environment: {faults}")
