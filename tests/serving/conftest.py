"""Fixtures of the service's tests: hubs with small champions, and the service in this process."""

import asyncio
import importlib
import sys
import time
import warnings
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import httpx
import pytest

import tests.models.conftest
from models.hub import LocalHub
from tests.hub_server import HubServer
from tests.serving.champions import promote
from tests.serving.following import Packaged, Scene, package

T = TypeVar("T")


@pytest.fixture(scope="session")
def hub(tiny_bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> LocalHub:
    """A hub with champion v1 of spam and v2 of toxicity; treat it as read-only."""
    root = tmp_path_factory.mktemp("hub")
    hub = LocalHub(root)
    for version, (kind, packaged) in enumerate(tiny_bundles.items(), start=1):
        promote(hub, kind, packaged, version, root.parent / f"{root.name}-scratch")
    return hub


@dataclass
class InProcess:
    """The service's whole ASGI application, on an event loop of its own."""

    module: ModuleType
    app: Any
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                return await client.request(method, path, **options)

        return self.run(send())

    def moderate(self, text: str) -> httpx.Response:
        return self.request("POST", "/moderate", json={"text": text})


def _import_service() -> tuple[ModuleType, Any]:
    """Import the service anew, so that it reads the environment of now."""
    sys.modules.pop("serving.service", None)
    with warnings.catch_warnings():
        # BentoML 1.4.39 with pathspec 1 and pydantic 2.11; look again when it is raised.
        warnings.filterwarnings("ignore", "GitWildMatchPattern", DeprecationWarning)
        warnings.filterwarnings("ignore", "The `__get_pydantic_core_schema__`", DeprecationWarning)
        module = importlib.import_module("serving.service")
        return module, module.Careerlens.to_asgi()


@pytest.fixture(scope="session")
def service(hub: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """The service over ``hub``, started and ready."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAREERLENS_HUB", str(hub))
        patch.setenv("CAREERLENS_CACHE", str(tmp_path_factory.mktemp("cache")))
        database = tmp_path_factory.mktemp("feedback") / "feedback.db"
        patch.setenv("CAREERLENS_DATABASE_URL", f"sqlite:///{database}")
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bentoml")))
        module, app = _import_service()
        with asyncio.Runner() as runner:
            lifespan = app.router.lifespan_context(app)
            runner.run(lifespan.__aenter__())
            found = InProcess(module, app, runner)
            deadline = time.monotonic() + 60
            while found.request("GET", "/readyz").status_code != 200:
                assert time.monotonic() < deadline, found.request("GET", "/models").text
                time.sleep(0.05)
            yield found
            runner.run(lifespan.__aexit__(None, None, None))


standin = tests.models.conftest.server


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """Three versions of the text models, packaged; treat them as read-only."""
    return package(tmp_path_factory.mktemp("packaged"))


@pytest.fixture
def scene(tmp_path: Path, packaged: Packaged, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A hub with v1 of the text models, in a folder, and workers that follow it."""
    _lose_no_time(monkeypatch)
    scene = Scene(tmp_path, packaged, LocalHub(tmp_path / "hub"))
    yield scene
    scene.stop()


@pytest.fixture
def remote(
    standin: HubServer,
    tmp_path: Path,
    packaged: Packaged,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    """The same on the stand-in for the Hugging Face Hub."""
    from models.hf_hub import HuggingFaceHub

    _lose_no_time(monkeypatch)
    hub = HuggingFaceHub(standin.endpoint)
    monkeypatch.setattr("serving.releases.open_hub", lambda _: hub)
    scene = Scene(tmp_path, packaged, hub)
    yield scene
    standin.recover()
    scene.stop()


def _lose_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let looks follow each other as quickly as they are asked for."""
    monkeypatch.setattr("serving.follow.SPACING", 0.0)
    monkeypatch.setattr("serving.follow.DELAYS", ())
