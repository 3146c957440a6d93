"""The keys and settings of Adzuna in the environment."""

import traceback
from pathlib import Path

import pytest

from serving.setting_error import SettingsError
from serving.settings import read_adzuna_keys, read_settings
from tests.adzuna import APP_ID, APP_KEY


@pytest.fixture(autouse=True)
def _no_keys_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADZUNA_APP_ID", "ADZUNA_APP_KEY", "ADZUNA_APP_ID_FILE", "ADZUNA_APP_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_keys_come_from_the_environment_or_from_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(f"{APP_KEY}\n")
    monkeypatch.setenv("ADZUNA_APP_ID", APP_ID)
    monkeypatch.setenv("ADZUNA_APP_KEY_FILE", str(tmp_path / "key"))
    keys = read_adzuna_keys()
    assert keys.query() == {"app_id": APP_ID, "app_key": APP_KEY}
    assert keys.missing() == []
    assert APP_KEY not in f"{keys!r} {keys} {keys.model_dump()} {keys.model_dump_json()}"


def test_no_keys_are_no_error_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADZUNA_APP_KEY", "")
    assert read_adzuna_keys().missing() == ["ADZUNA_APP_ID", "ADZUNA_APP_KEY"]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ADZUNA_APP_KEY": f"{APP_KEY} two"}, "ADZUNA_APP_KEY:"),
        ({"ADZUNA_APP_KEY": APP_KEY, "ADZUNA_APP_KEY_FILE": "/x"}, "ADZUNA_APP_KEY_FILE are both"),
        ({"ADZUNA_APP_ID_FILE": "/nowhere/id"}, "ADZUNA_APP_ID_FILE: /nowhere/id cannot be read"),
        ({"ADZUNA_APP_ID_FILE": "/dev/null"}, "ADZUNA_APP_ID:"),
    ],
)
def test_a_wrong_key_is_refused_by_the_name_of_its_variable_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=named) as caught:
        read_adzuna_keys()
    assert APP_KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAREERLENS_ADZUNA_URL", "http://api.adzuna.com"),
        ("CAREERLENS_ADZUNA_URL", "https://user:secret@api.adzuna.com"),
        ("CAREERLENS_ADZUNA_URL", "https://api.adzuna.com?x=1"),
        ("CAREERLENS_ADZUNA_URL", "https://api.adzuna.com:port"),
        ("CAREERLENS_ADZUNA_URL", "api.adzuna.com"),
        ("CAREERLENS_ADZUNA_BUDGET", "lots"),
        ("CAREERLENS_ADZUNA_BUDGET", "0/minute"),
        ("CAREERLENS_ADZUNA_TRIES", "0"),
        ("CAREERLENS_ADZUNA_TIMEOUT_SECONDS", "inf"),
        ("CAREERLENS_ADZUNA_CACHE_SECONDS", "-1"),
    ],
)
def test_a_wrong_setting_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        read_settings()
