"""The page with a service of its own: what is started, waited for, and ended."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.ui import space
from tests.e2e.conftest import free_port

Runs = list[tuple[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """What the page was run with."""
    found: Runs = []
    monkeypatch.setattr(space, "run", lambda *args, **place: found.append((args, place)))
    monkeypatch.setattr(space, "_SERVICE_PORT", free_port())
    monkeypatch.setattr(space, "_end_with", lambda _: None)  # it would end the tests
    monkeypatch.delenv(space.SERVICE_VARIABLE, raising=False)
    return found


@pytest.fixture
def start_instead(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Have another command than the service started, and return what was."""
    popen = subprocess.Popen

    def replace(*command: str) -> list[Any]:
        started: list[Any] = []

        def start(asked: list[object], **options: Any) -> Any:
            assert asked[1:3] == ["serve", "serving.service:Careerlens"]
            started.append(popen([sys.executable, *command], **options))
            return started[-1]

        monkeypatch.setattr(space.subprocess, "Popen", start)
        return started

    return replace


def test_the_page_runs_once_the_service_listens_and_ends_it_with_itself(
    runs: Runs, start_instead: Callable[..., list[Any]], tmp_path: Path
) -> None:
    (tmp_path / "livez").touch()
    port = str(space._SERVICE_PORT)
    started = start_instead(
        *("-m", "http.server", port, "--bind", "127.0.0.1", "--directory", str(tmp_path))
    )
    space.main()
    [((address, framed_by), place)] = runs
    assert address == f"http://127.0.0.1:{port}"
    assert framed_by == "https://huggingface.co"
    assert place == {"host": "0.0.0.0", "port": 7860}
    assert started[0].poll() is not None


def test_a_service_that_does_not_start_ends_the_page(
    runs: Runs, start_instead: Callable[..., list[Any]]
) -> None:
    start_instead("-c", "raise SystemExit(1)")
    with pytest.raises(SystemExit, match="does not start"):
        space.main()
    assert runs == []


def test_for_a_service_elsewhere_none_is_started(
    runs: Runs, start_instead: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = start_instead("-c", "")
    monkeypatch.setenv(space.SERVICE_VARIABLE, "https://api.example")
    space.main()
    assert runs[0][0][0] == "https://api.example"
    assert started == []
