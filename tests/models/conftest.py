"""Fixtures of the tests of hubs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server import HubServer


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
