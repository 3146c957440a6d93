import json
import os
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from models.manifest import KINDS
from models.signing import generate_keys
from models.trust import Trust, read_keys
from serving.setting_error import SettingsError
from serving.settings import PREFIX, Settings, read_settings, variable

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable(field), raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAREERLENS_MAX_CHARS", "many"),
        ("CAREERLENS_MAX_CHARS", "0"),
        ("CAREERLENS_MAX_BODY_BYTES", "-5"),
        ("CAREERLENS_WORKERS", "0"),
        ("CAREERLENS_LOG_LEVEL", "loud"),
        ("CAREERLENS_SPAM_REVIEW_THRESHOLD", "1.5"),
        ("CAREERLENS_TIMEOUT_SECONDS", "nan"),
        ("CAREERLENS_HUB", "hf://somewhere"),
        ("CAREERLENS_NAMESPACE", "../up"),
        ("PORT", "99999"),
        ("CAREERLENS_MAX_DOCUMENT_BYTES", "0"),
        ("CAREERLENS_MAX_DOCUMENT_CHARS", "200001"),
        ("CAREERLENS_DOCUMENT_SECONDS", "0"),
        ("CAREERLENS_DOCUMENT_MEMORY_MIB", "100"),
        ("CAREERLENS_DOCUMENT_WORKERS", "none"),
        ("CAREERLENS_MAX_UPLOADS", "0"),
        ("CAREERLENS_PHONE_REGION", "Britain"),
        ("CAREERLENS_ENV", "prod"),
        ("CAREERLENS_ENV", "production"),  # without CAREERLENS_TRUSTED_KEYS
        ("CAREERLENS_TRUSTED_KEYS", "/nowhere/to/be/found.pub"),
        ("CAREERLENS_SPAM_REVISION", "3"),
        ("CAREERLENS_MATCHING_REVISION", "sha256:abc"),
        ("CAREERLENS_POLL_SECONDS", "0.1"),
        ("CAREERLENS_SHADOW_SHARE", "1.5"),
        ("CAREERLENS_SHADOW_LOG", "/not/there/shadow.jsonl"),
        ("CAREERLENS_SHADOW_LOG", "/"),
        ("CAREERLENS_PREDICTION_SHARE", "2"),
        ("CAREERLENS_PREDICTION_SHARE", "0.5"),  # without CAREERLENS_PREDICTION_LOG
        ("CAREERLENS_PREDICTION_LOG", "/dev/null"),
        ("CAREERLENS_REDIS_TIMEOUT_SECONDS", "0"),
        ("CAREERLENS_METRICS_NEED_KEY", "perhaps"),
        ("CAREERLENS_CORS_ORIGINS", "*"),
        ("CAREERLENS_CORS_ORIGINS", "https://jobs.example/path"),
        ("CAREERLENS_CORS_ORIGINS", "https://jobs.example, jobs.example"),
        ("CAREERLENS_TRUSTED_PROXIES", "proxy.example"),
        ("CAREERLENS_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("CAREERLENS_LIMIT_MODERATE", "600"),
        ("CAREERLENS_LIMIT_ADDRESS", "0/minute"),
        ("CAREERLENS_LIMITS_ON_FAILURE", "ajar"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        read_settings()


def test_a_review_threshold_above_the_block_threshold_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CAREERLENS_SPAM_REVIEW_THRESHOLD", "0.9")
    monkeypatch.setenv("CAREERLENS_SPAM_BLOCK_THRESHOLD", "0.8")
    with pytest.raises(SettingsError, match="CAREERLENS_SPAM_REVIEW_THRESHOLD is above"):
        read_settings()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREERLENS_WORKERS", "")
    assert read_settings().workers == 1


def test_what_is_chosen_for_documents_reaches_their_readers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CAREERLENS_MAX_DOCUMENT_PAGES", "3")
    monkeypatch.setenv("CAREERLENS_DOCUMENT_MEMORY_MIB", "300")
    monkeypatch.setenv("CAREERLENS_PHONE_REGION", "gb")
    settings = read_settings()
    assert settings.document_limits.max_pages == 3
    assert settings.document_limits.memory_bytes == 300 * 1024 * 1024
    assert settings.phone_region == "GB"


def test_a_body_has_room_for_the_longest_text_in_any_spelling() -> None:
    settings = Settings()
    longest = "😀" * settings.max_document_chars
    body = json.dumps({"text": longest, "job_description": "😀" * settings.max_job_chars})
    assert len(body) < settings.text_body_bytes
    assert settings.form_bytes(1) > settings.max_document_bytes
    assert settings.upload_bytes >= settings.form_bytes(2)


def test_a_pin_is_a_tag_or_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "0123456789abcdef" * 4
    monkeypatch.setenv("CAREERLENS_SPAM_REVISION", "v12")
    monkeypatch.setenv("CAREERLENS_TOXICITY_REVISION", f"sha256:{digest}")
    settings = read_settings()
    assert [settings.pin(kind) for kind in KINDS] == ["v12", digest, None, None]


def test_trusted_keys_are_listed_as_in_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = [tmp_path / "old.pub", tmp_path / "new.pub"]
    for key in keys:
        generate_keys(key.with_suffix(".key"), key)
    monkeypatch.setenv("CAREERLENS_ENV", "production")
    monkeypatch.setenv("CAREERLENS_TRUSTED_KEYS", os.pathsep.join(map(str, keys)))
    assert read_settings().trust == Trust(True, read_keys(keys))


def test_port_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "4321")
    assert read_settings().port == 4321


def test_the_example_lists_every_variable_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    entries = [
        line.lstrip("# ").split("=", 1) for line in lines if "=" in line and " =" not in line
    ]
    listed = {name: value for name, value in entries if name.startswith(PREFIX) or name == "PORT"}
    defaults = {
        variable(name): _spell(field.default) for name, field in Settings.model_fields.items()
    }
    assert listed == defaults


def _spell(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return "" if default in (None, ()) else str(default)


PASSWORD = "hunter2-canary"
SECRET_VALUES = {
    "CAREERLENS_REDIS_URL": f"redis://:{PASSWORD}@cache.example:6379/0",
    "CAREERLENS_DATABASE_URL": f"postgresql+psycopg://me:{PASSWORD}@db.example/feedback",
}


@pytest.mark.parametrize(("name", "value"), SECRET_VALUES.items())
def test_a_secret_is_read_from_the_environment_or_a_file_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    field = name.removeprefix(PREFIX).lower()
    monkeypatch.setenv(name, value)
    given = read_settings()
    monkeypatch.delenv(name)
    (tmp_path / "secret").write_text(f"{value}\n")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))
    read = read_settings()
    assert getattr(given, field).get_secret_value() == value
    assert getattr(read, field) == getattr(given, field)
    for settings in (given, read):
        assert PASSWORD not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAREERLENS_REDIS_URL", f"http://:{PASSWORD}@cache.example"),
        ("CAREERLENS_REDIS_URL", f"redis://:{PASSWORD}@cache.example:port"),
        ("CAREERLENS_REDIS_URL", f"redis://:{PASSWORD}@"),
        ("CAREERLENS_DATABASE_URL", f"mysql://me:{PASSWORD}@db.example/feedback"),
        ("CAREERLENS_DATABASE_URL", PASSWORD),
        ("CAREERLENS_DATABASE_URL", "sqlite://"),
        ("CAREERLENS_DATABASE_URL", "sqlite:///:memory:"),
        ("CAREERLENS_DATABASE_URL", f"postgresql://me:{PASSWORD}@db.example:port/feedback"),
        ("CAREERLENS_DATABASE_URL_FILE", f"/nowhere/{PASSWORD[:7]}"),
    ],
)
def test_a_wrong_secret_is_refused_by_the_name_of_its_variable_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        read_settings()
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_an_address_of_postgresql_as_hosts_give_it_gets_the_driver_that_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CAREERLENS_DATABASE_URL", "postgres://me:word@db.example/feedback")
    address = read_settings().database_url.get_secret_value()
    assert address == "postgresql+psycopg://me:word@db.example/feedback"
