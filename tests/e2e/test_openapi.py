"""The running service against its own description, by Schemathesis."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.hub import LocalHub
from serving import keys
from serving.callers import SCOPES
from serving.limits import ADDRESS, FAILURES
from tests.adzuna import APP_ID, APP_KEY, StandIn, stand_in
from tests.e2e.conftest import Server, Start

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(scope="module")
def adzuna() -> Iterator[StandIn]:
    with stand_in() as served:
        yield served


@dataclass(frozen=True)
class Complete:
    """A server that lacks nothing, so that every route can answer well, and a key that may all."""

    server: Server
    key: str


@pytest.fixture(scope="module")
def complete(
    start: Start, champions: LocalHub, adzuna: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Complete:
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    key = keys.create(file, "schemathesis", sorted(SCOPES), None)
    unlimited = {f"CAREERLENS_LIMIT_{name.upper()}": "off" for name in (*SCOPES, ADDRESS, FAILURES)}
    server = start(
        champions,
        CAREERLENS_KEYS_FILE=str(file),
        CAREERLENS_ADZUNA_URL=adzuna.url,
        CAREERLENS_ADZUNA_BUDGET="100000/minute",
        ADZUNA_APP_ID=APP_ID,
        ADZUNA_APP_KEY=APP_KEY,
        **unlimited,
    )
    server.wait("/readyz")
    return Complete(server, key)


def test_every_answer_is_one_that_the_description_has(complete: Complete, tmp_path: Path) -> None:
    """Status, type, headers and body; and what the description allows is taken, the rest not."""
    address = f"http://127.0.0.1:{complete.server.port}/docs.json"
    command = [str(SCHEMATHESIS), "--config-file", str(CONFIG), "run", address]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "4"]
    command += ["--generation-deterministic", "--no-color"]
    command += ["--header", f"Authorization: Bearer {complete.key}"]
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert complete.key not in complete.server.log
