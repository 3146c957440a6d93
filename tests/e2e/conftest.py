"""Real servers: `bentoml serve` in a process of its own, on a free port of the loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from models.hub import LocalHub
from models.manifest import Kind
from tests.factories import ROOT
from tests.serving.champions import promote
from tests.serving.guarded import make_key

BENTOML = Path(sys.executable).with_name("bentoml")

# What a developer or the tests have set must not reach the servers: they pin their own kernels.
_FOREIGN = ("CAREERLENS_", "BENTOML_", "PROMETHEUS_", "PORT", "OMP_", "OPENBLAS_", "MKL_", "NPY_")

#: Limits that callers of ours would soon have spent.
UNLIMITED = tuple(f"CAREERLENS_LIMIT_{name}" for name in ("MODERATE", "RESUME", "ADDRESS"))


def server_environment(home: Path, **chosen: str) -> dict[str, str]:
    """Return the environment of a server that keeps its files below ``home``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return kept | {
        "BENTOML_HOME": str(home / "bentoml"),
        "CAREERLENS_CACHE": str(home / "cache"),
        "CAREERLENS_DATABASE_URL": f"sqlite:///{home / 'feedback.db'}",
        # What BentoML would report is printed, and not sent, should it ever come to that.
        "__BENTOML_DEBUG_USAGE": "True",
        **chosen,
    }


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    port: int
    log_file: Path

    @property
    def log(self) -> str:
        """Everything it wrote so far, on stdout and stderr."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def moderate(self, text: str) -> httpx.Response:
        return self.client.post("/moderate", json={"text": text})

    def wait(self, path: str, status: int = 200, seconds: float = 90.0) -> None:
        """Wait until GET ``path`` answers ``status``."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.client.get(path).status_code == status:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def stop(self) -> None:
        """End it with every process it started."""
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path, **chosen: str) -> Iterator[Server]:
    """Run `bentoml serve`, with its files below ``home``; in production, with a key of ours."""
    home.mkdir(parents=True, exist_ok=True)
    headers = {}
    if chosen.get("CAREERLENS_ENV") == "production":
        headers["x-api-key"] = make_key(home / "keys.json")
        chosen |= dict.fromkeys(UNLIMITED, "off") | {
            "CAREERLENS_KEYS_FILE": str(home / "keys.json")
        }
    port = free_port()
    log_file = home / "server.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [BENTOML, "serve"],
            cwd=ROOT,
            env=server_environment(home, PORT=str(port), **chosen),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers=headers,
        timeout=30,
        trust_env=False,
        # Each time another worker may answer, and no connection is mistaken for a caller's.
        limits=httpx.Limits(max_keepalive_connections=0),
    )
    server = Server(process, client, port, log_file)
    try:
        yield server
    finally:
        server.stop()


Start = Callable[..., Server]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a server over a hub with `bentoml serve`, as typed in the project's root."""
    with ExitStack() as servers:

        def start_server(hub: LocalHub, **chosen: str) -> Server:
            home = tmp_path_factory.mktemp("server")
            return servers.enter_context(serving(home, CAREERLENS_HUB=str(hub), **chosen))

        yield start_server


def tiny_hub(bundles: Mapping[Kind, Path], folder: Path) -> LocalHub:
    """Return a hub in ``folder`` with a champion of each kind, of versions 1 to 4."""
    hub = LocalHub(folder / "hub")
    for version, (kind, packaged) in enumerate(bundles.items(), start=1):
        promote(hub, kind, packaged, version, folder / "scratch")
    return hub


@pytest.fixture(scope="module")
def champions(tiny_bundles: dict[Kind, Path], tmp_path_factory: pytest.TempPathFactory) -> LocalHub:
    """A hub with champion v1 of spam and v2 of toxicity; treat it as read-only."""
    return tiny_hub(tiny_bundles, tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def server(start: Start, champions: LocalHub) -> Server:
    """A server over ``champions``, ready."""
    started = start(champions)
    started.wait("/readyz")
    return started
