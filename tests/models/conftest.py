"""Fixtures of the tests of hubs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.hub import Hub, LocalHub
from tests.hub_server import HubServer
from tests.models.hub_case import make_folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """A stand-in for the Hugging Face Hub, and a client that has its token and loses no time."""
    import stamina
    from huggingface_hub import constants

    for name in ("HF_OIDC_RESOURCE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with HubServer() as server, stamina.set_testing(True, attempts=100, cap=True):
        monkeypatch.setenv("HF_TOKEN", server.token)
        # For other processes; this one has read its environment already.
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
        yield server


@pytest.fixture(params=["local", "hugging face"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Hub:
    """Each kind of hub, empty."""
    if request.param == "local":
        return LocalHub(tmp_path / "hub")
    from models.hf_hub import HuggingFaceHub

    return HuggingFaceHub(request.getfixturevalue("server").endpoint)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A release."""
    return make_folder(tmp_path / "first", 1)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The release of the next version."""
    return make_folder(tmp_path / "second", 2)
