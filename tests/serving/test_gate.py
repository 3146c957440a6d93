"""Who comes in: with keys, and without any on this machine alone."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.signing import generate_keys
from serving.callers import SCOPES
from serving.gate import open_gate
from serving.key_file import read_keys
from serving.keys import revoke
from serving.logs import open_log
from serving.metrics import Metrics
from serving.setting_error import SettingsError
from serving.settings import Settings
from tests.serving.guarded import Guarded, guarded, make_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def key(path: Path) -> str:
    return make_key(path, "moderate", name="platform")


@pytest.fixture
def front(path: Path, key: str) -> Iterator[Guarded]:
    del key  # there is one
    with guarded(keys_file=path) as front:
        yield front


@pytest.mark.parametrize(
    "header", ["Authorization: Bearer {}", "authorization: bearer  {}", "X-API-Key: {}"]
)
def test_a_key_is_known_by_its_name_and_scopes(front: Guarded, key: str, header: str) -> None:
    name, value = header.format(key).split(": ", 1)
    answered = front.moderate(headers={name: value})
    assert (answered.status_code, answered.json()["name"]) == (200, "platform")
    assert answered.json()["scopes"] == ["moderate"]


def test_without_a_key_only_what_is_open_is_answered_to_a_stranger(front: Guarded) -> None:
    answered = front.moderate()
    assert (answered.status_code, answered.json()["error"]) == (401, "missing_key")
    assert answered.headers["www-authenticate"] == 'Bearer realm="careerlens"'
    assert set(answered.json()) == {"error", "detail", "request_id"}
    assert front("GET", "/models").status_code == 401
    assert front("GET", "/livez", peer="203.0.113.9").status_code == 200
    assert front("GET", "/page", peer="203.0.113.9").json()["scopes"] == []


def test_every_key_that_opens_nothing_gets_the_same_answer(front: Guarded, key: str) -> None:
    wrong = [
        key[:-1] + ("0" if key[-1] != "0" else "1"),
        key.replace("cl_", "cl_0", 1),
        "cl_" + "0" * 12 + key[15:],
        key[:15],
        "cl__",
        "x",
        "é" * 20,
        "x" * 10_000,
    ]
    answers = [front.moderate(headers={"x-api-key": word.encode("latin-1")}) for word in wrong]  # type: ignore[dict-item]
    assert {answer.status_code for answer in answers} == {401}
    assert {(answer.json()["error"], answer.json()["detail"]) for answer in answers} == {
        ("invalid_key", "the API key is unknown, expired or revoked")
    }
    assert 'error="invalid_token"' in answers[0].headers["www-authenticate"]
    assert not any(word in front.stream.getvalue() for word in (*wrong[:3], key[16:]))


def test_a_key_without_the_scope_is_forbidden(front: Guarded, key: str) -> None:
    answered = front("POST", "/document", key=key)
    assert (answered.status_code, answered.json()["error"]) == (403, "missing_scope")
    assert "resume" in answered.json()["detail"]
    assert front("GET", "/models", key=key).status_code == 200
    assert front("POST", "/models", key=key).status_code == 403


def test_a_key_ends_when_it_expires(path: Path) -> None:
    soon = make_key(path, expires=datetime.now(UTC) + timedelta(seconds=0.5))
    with guarded(keys_file=path) as front:
        assert front.moderate(key=soon).status_code == 200
        time.sleep(0.6)
        assert front.moderate(key=soon).status_code == 401


def test_the_log_names_the_key_and_holds_nothing_of_its_secret(front: Guarded, key: str) -> None:
    front.moderate(key=key)
    _, key_id, secret = key.split("_")
    assert f'"key":"{key_id}"' in front.stream.getvalue()
    assert secret not in front.stream.getvalue()


def wait_for(front: Guarded, key: str, status: int) -> None:
    deadline = time.monotonic() + 2
    while front.moderate(key=key).status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_keys_are_made_and_revoked_without_a_restart(front: Guarded, path: Path, key: str) -> None:
    second = make_key(path)
    wait_for(front, second, 200)
    revoke(path, key.split("_")[1])
    wait_for(front, key, 401)
    assert front.moderate(key=second).status_code == 200
    revoke(path, second.split("_")[1])
    wait_for(front, second, 401)  # the last key closes the service: it never opens it to all


@pytest.mark.parametrize("spoil", ["broken", "away", "foreign"])
def test_a_broken_file_keeps_the_last_good_keys_and_says_so(
    front: Guarded, path: Path, key: str, spoil: str
) -> None:
    good = path.read_bytes()
    if spoil == "away":
        path.unlink()
    else:
        path.write_text('{"keys": [' if spoil == "broken" else '{"version": 1, "keys": [{}]}')
    deadline = time.monotonic() + 2
    while not front.counted("careerlens_keys_reads_total", outcome="refused"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert front.moderate(key=key).status_code == 200
    assert front.stream.getvalue().count("keys not read") == 1
    path.write_bytes(good)
    second = make_key(path)
    wait_for(front, second, 200)


def test_without_keys_this_machine_may_do_everything_and_nobody_else_anything() -> None:
    with guarded() as front:
        assert front.moderate().json()["scopes"] == sorted(SCOPES)
        assert front.moderate(peer="::1", host="[::1]:3000").status_code == 200
        assert front.moderate(host="ml.localhost:3000").status_code == 200
        assert front.moderate(host="0.0.0.0:3000").status_code == 200
        answered = front.moderate(peer="192.0.2.7")
        assert (answered.status_code, answered.json()["error"]) == (403, "no_keys")
        assert "python -m serving.keys create" in answered.json()["detail"]
        assert front("GET", "/page", peer="192.0.2.7").status_code == 403
        assert front("GET", "/livez", peer="192.0.2.7").status_code == 200


def test_without_keys_neither_a_proxy_nor_another_name_leads_here() -> None:
    with guarded() as front:
        assert front.moderate(headers={"x-forwarded-for": "192.0.2.7"}).status_code == 403
        assert front.moderate(headers={"x-forwarded-for": "127.0.0.1"}).status_code == 200
        for host in ("jobs.example", "localhost.example", "192.0.2.1:3000", "127.0.0.1.example"):
            assert front.moderate(host=host).status_code == 403


def test_production_needs_keys(tmp_path: Path) -> None:
    generate_keys(tmp_path / "release", tmp_path / "release.pub")
    settings = Settings(env="production", trusted_keys=(tmp_path / "release.pub",))
    with pytest.raises(
        SettingsError, match=r"CAREERLENS_ENV=production needs keys: .*serving\.keys"
    ):
        open_gate(settings, Metrics().registry, open_log("info"))


@pytest.mark.parametrize(
    "content", [None, "", "[]", '{"version": 1, "keys": []}', '{"version": 2}']
)
def test_a_file_without_keys_stops_the_start(path: Path, content: str | None) -> None:
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=r"CAREERLENS_KEYS_FILE: .*keys\.json"):
        open_gate(Settings(keys_file=path), Metrics().registry, open_log("info"))


def test_a_file_of_keys_holds_no_key_and_is_for_its_owner_alone(path: Path, key: str) -> None:
    _, key_id, secret = key.split("_")
    assert key_id in path.read_text()
    assert secret not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"cl_[0-9a-f]{12}_[0-9a-f]{64}", key)
    assert [kept.state(datetime.now(UTC)) for kept in read_keys(path)] == ["active"]
