"""What goes wrong with the Hugging Face Hub is told, with an end, and without the token."""

import logging
from pathlib import Path

import httpx2
import pytest
import stamina
from huggingface_hub import get_session

from models import hf_client
from models.errors import (
    ConflictError,
    HubAccessError,
    HubError,
    HubUnavailableError,
    UnknownRevisionError,
)
from models.hf_client import explain
from models.hf_hub import HuggingFaceHub
from models.hub import open_hub
from tests.hub_server import HubServer
from tests.models.hub_case import REPO, add_manifest, make_folder

FOR_EVER = 10**9
REFS = "GET .*/refs$"


@pytest.fixture
def hub(server: HubServer, tmp_path: Path) -> HuggingFaceHub:
    """The hub with v1."""
    hub = HuggingFaceHub(server.endpoint)
    hub.publish(REPO, 1, make_folder(tmp_path / "first", 1), "v1")
    server.calls.clear()
    return hub


# --- answers


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (401, HubAccessError, "does not accept HF_TOKEN"),
        (403, HubAccessError, "HF_TOKEN may not do this"),
        (404, UnknownRevisionError, r"pipelines\.publish"),
        (409, ConflictError, "changed by somebody else"),
        (412, ConflictError, "changed by somebody else"),
        (400, HubError, "refused"),
        (413, HubError, "refused"),
    ],
)
def test_an_answer_that_will_not_change_is_told_at_once(
    server: HubServer, hub: HuggingFaceHub, status: int, kind: type[HubError], sentence: str
) -> None:
    server.fail(REFS, times=FOR_EVER, status=status)
    with pytest.raises(kind, match=f"(?s){REPO} on {server.endpoint}.*{sentence}") as caught:
        hub.refs(REPO)
    assert type(caught.value) is kind
    assert "told to fail" in str(caught.value)
    assert len(server.asked(REFS)) == 1


def test_a_wrong_token_is_named_by_its_variable(
    hub: HuggingFaceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_thisIsNobodysToken")
    with pytest.raises(HubAccessError, match=r"does not accept HF_TOKEN.*set HF_TOKEN") as caught:
        hub.refs(REPO)
    assert "hf_this" not in str(caught.value)


@pytest.mark.parametrize("status", [0, 408, 429, 500])
@pytest.mark.parametrize(
    "call", ["GET .*/refs$", "GET .*/tree/", "HEAD ", "GET .*/resolve/", "GET /[0-9a-f]{64}$"]
)
def test_what_may_pass_is_tried_again(
    server: HubServer, hub: HuggingFaceHub, tmp_path: Path, status: int, call: str
) -> None:
    server.fail(call, times=2, status=status)
    assert hub.fetch(REPO, "v1", tmp_path / "cache").release.tag == "v1"


@pytest.mark.parametrize("status", [0, 503])
@pytest.mark.parametrize(
    "call", ["GET .*/refs$", "GET .*/tree/", "HEAD .*/README.md$", "GET /[0-9a-f]{64}$"]
)
def test_what_does_not_pass_is_given_up(
    server: HubServer, hub: HuggingFaceHub, tmp_path: Path, status: int, call: str
) -> None:
    server.fail(call, times=FOR_EVER, status=status)
    with pytest.raises(HubUnavailableError, match=rf"{REPO} on {server.endpoint}.*try again"):
        hub.fetch(REPO, "v1", tmp_path / "cache")
    assert len(server.asked(call)) == hf_client.TRIES


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "240"},
        {"ratelimit": '"api";r=0;t=240', "ratelimit-policy": '"fixed window";"api";q=500;w=300'},
    ],
)
def test_a_long_pause_that_the_hub_asks_for_is_told_and_not_slept_through(
    server: HubServer, hub: HuggingFaceHub, headers: dict[str, str]
) -> None:
    server.fail(REFS, times=FOR_EVER, status=429, headers=headers)
    with pytest.raises(HubUnavailableError, match=r"429.*try again in 240 s") as caught:
        hub.refs(REPO)
    assert caught.value.retry_after == 240.0
    assert len(server.asked(REFS)) == 1


def test_a_short_pause_that_the_hub_asks_for_is_taken(
    server: HubServer, hub: HuggingFaceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    server.fail(REFS, times=1, status=503, headers={"retry-after": "7"})
    with stamina.set_testing(False):
        assert hub.refs(REPO).tags.keys() == {"v1"}
    assert 7.0 in slept


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("", None), ("soon", None), ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0)],
)
def test_a_pause_is_read_in_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    response = httpx2.Response(503, headers={"retry-after": text})
    assert hf_client._pause(response) == seconds


@pytest.mark.parametrize(
    "call", [REFS, "GET .*/tree/", "GET .*/commits/", f"GET .*{REPO}$", "POST .*/commit/"]
)
def test_silence_is_not_waited_out(
    server: HubServer,
    hub: HuggingFaceHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    monkeypatch.setattr(get_session(), "timeout", 0.2)
    server.fail(call, times=FOR_EVER, delay=1.0)
    second = make_folder(tmp_path / "second", 2)
    with stamina.set_testing(True, attempts=1), pytest.raises(HubUnavailableError, match="in time"):
        hub.publish(REPO, 2, second, "v2")


@pytest.mark.parametrize("body", [b"<html>Log in to the hotel's network</html>", b"{}", b"[]"])
def test_what_is_no_hub_is_recognised(server: HubServer, hub: HuggingFaceHub, body: bytes) -> None:
    server.fail(REFS, times=FOR_EVER, status=200, body=body)
    with pytest.raises(HubError, match=r"does not answer as a Hugging Face Hub.*HF_ENDPOINT"):
        hub.refs(REPO)


def test_a_failed_upload_says_why(server: HubServer, hub: HuggingFaceHub, tmp_path: Path) -> None:
    server.fail("PUT ", times=FOR_EVER, status=403)
    with pytest.raises(HubAccessError, match="403"):
        hub.publish(REPO, 2, make_folder(tmp_path / "second", 2), "v2")


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (PermissionError("expired"), HubAccessError, "does not accept the login"),
        (PermissionError(13, "Permission denied", "/srv/cache"), HubError, "/srv/cache"),
        (OSError(28, "No space left on device"), HubError, "No space left"),
        (RuntimeError("chunk lost"), HubUnavailableError, "HF_HUB_DISABLE_XET"),
        (httpx2.ReadError("reset"), HubUnavailableError, "reset"),
        (ConnectionResetError("reset"), HubUnavailableError, "reset"),
    ],
)
def test_failures_below_the_calls_are_told_apart(
    error: Exception, kind: type[HubError], sentence: str
) -> None:
    told = explain(error, f"{REPO} on https://hub.example")
    assert type(told) is kind
    assert sentence in str(told)
    assert REPO in str(told)


# --- the token


@pytest.mark.parametrize("token", ["hf_withA\0InIt", "hf_withAn’InIt"])
def test_a_token_that_cannot_be_one_is_told_without_showing_it(
    hub: HuggingFaceHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    (tmp_path / "token").write_text(token)
    with pytest.raises(HubAccessError, match="HF_TOKEN holds characters") as caught:
        hub.refs(REPO)
    assert "with" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_token_is_never_told(
    server: HubServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even where a server repeats it, and everything is logged."""
    for name in (None, "huggingface_hub"):
        caplog.set_level(logging.DEBUG, name)
    monkeypatch.setattr("huggingface_hub.constants.HF_DEBUG", True)
    hub = HuggingFaceHub(server.endpoint)
    hub.publish(REPO, 1, make_folder(tmp_path / "first", 1), "v1")
    hub.fetch(REPO, "v1", tmp_path / "cache")
    said = []
    for status in (400, 401, 403, 404, 429, 500):
        body = f'{{"error": "no such token: {server.token}"}}'.encode()
        server.fail(REFS, times=FOR_EVER, status=status, body=body)
        with pytest.raises(HubError) as caught:
            hub.refs(REPO)
        said.append(str(caught.value))
        server.recover()
    assert any("no such token" in sentence for sentence in said)
    assert server.token not in "".join(said)
    assert "authorization: <TOKEN>" in caplog.text
    assert server.token not in caplog.text
    assert any(
        call.headers.get("authorization") == f"Bearer {server.token}" for call in server.calls
    )


def test_the_token_of_a_login_is_used(
    server: HubServer, hub: HuggingFaceHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    (tmp_path / "token").write_text(f"{server.token}\n")
    assert hub.refs(REPO).tags.keys() == {"v1"}


# --- where it is


def test_the_address_of_the_hub_is_that_of_the_environment(
    server: HubServer, hub: HuggingFaceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.endpoint)
    opened = open_hub("hf:")
    assert str(opened) == server.endpoint
    assert opened.refs(REPO) == hub.refs(REPO)


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_the_address_says_whether_repositories_are_public(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visibility: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.endpoint)
    folder = add_manifest(make_folder(tmp_path / "first", 1), "MIT")
    open_hub(f"hf:?visibility={visibility}").publish(REPO, 1, folder, "v1")
    assert server.store.repos[REPO].private == (visibility == "private")


@pytest.mark.parametrize(
    "endpoint", ["hub.example", "ftp://hub.example", "https://", "https://ann:secret@hub.example"]
)
def test_an_endpoint_that_is_none_is_told_without_its_password(endpoint: str) -> None:
    with pytest.raises(HubError, match="HF_ENDPOINT") as caught:
        HuggingFaceHub(endpoint)
    assert "secret" not in str(caught.value)


def test_a_hub_is_not_asked_before_it_must_be(server: HubServer) -> None:
    HuggingFaceHub(server.endpoint)
    assert server.calls == []


def test_nothing_is_reported_home(server: HubServer, hub: HuggingFaceHub, tmp_path: Path) -> None:
    hub.fetch(REPO, "v1", tmp_path / "cache")
    assert server.asked("harness|telemetry") == []
    agents = {call.headers.get("user-agent", "") for call in server.calls}
    assert not any("torch" in agent or "agent/" in agent for agent in agents)


def test_no_progress_is_drawn(
    hub: HuggingFaceHub, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.publish(REPO, 2, make_folder(tmp_path / "second", 2), "v2")
    hub.fetch(REPO, "v2", tmp_path / "cache")
    assert capfd.readouterr() == ("", "")
