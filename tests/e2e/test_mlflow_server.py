"""The whole way of a version with a team's MLflow: a real `mlflow server` on PostgreSQL."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import httpx
import pandas as pd
import psycopg
import pytest

from models.hub import MAIN, LocalHub
from models.params import load_params
from models.release import read_promotions
from pipelines import compare, promote, provenance, publish, register, rollback, track, tracking
from pipelines.champions import PROMOTION_LOG
from pipelines.kinds import MADE
from pipelines.packaging import files_digest, params_digest
from pipelines.tracking import open_store
from tests.e2e.conftest import free_port
from tests.pipelines.contenders import fewer, fit, release, starter_sides, write_data
from tests.pipelines.results import good_metrics, make_result, working_in
from tests.postgres import own_database

MLFLOW = Path(sys.executable).with_name("mlflow")
REPO = "careerlens/careerlens-spam"
MAINS = {
    "track": track.main,
    "register": register.main,
    "publish": publish.main,
    "compare": compare.main,
    "promote": promote.main,
    "rollback": rollback.main,
    "provenance": provenance.main,
}


@dataclass(frozen=True)
class Server:
    """A running `mlflow server`.

    Attributes
    ----------
    database : str
        Address of its database.
    artifacts : Path
        Where it keeps artifacts, which it alone touches.
    """

    address: str
    database: str
    artifacts: Path


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a database of our own."""
    with own_database() as address:
        yield address


@pytest.fixture(scope="module")
def server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on that database, as docs/operations.md starts one."""
    home = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    found = Server(f"http://127.0.0.1:{port}", database, home / "artifacts")
    driver = database.replace("postgresql:", "postgresql+psycopg:", 1)
    command = [
        *(str(MLFLOW), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", driver, "--serve-artifacts"),
        *("--artifacts-destination", str(found.artifacts)),
    ]
    environment = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=environment | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_up(found, process, log)
        yield found
    finally:
        # It takes its time to end in peace, and nothing of it is kept.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_up(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    with httpx.Client(trust_env=False) as client:
        while True:
            try:
                if client.get(f"{server.address}/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


@pytest.fixture
def project(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project that is told of the server alone."""
    root = tmp_path / "project"
    root.mkdir()
    with working_in(root):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
        yield root


def train(rows: pd.DataFrame) -> str:
    """Make a result whose spam model learnt from ``rows``; return its digest."""
    make_result(Path())
    text = Path("params.yaml").read_text()
    text, times = re.subn(r"latency_ratio: [\d.]+", "latency_ratio: 10.0", text)
    assert times
    Path("params.yaml").write_text(text)
    write_data(Path("data"), ("spam",))
    place = Path("artifacts/spam/release")
    shutil.rmtree(place)
    return release(
        place,
        "spam",
        fit("spam", rows),
        metrics=good_metrics(),
        params=params_digest("spam", load_params()),
        data=files_digest([Path("data", path) for path, _ in MADE["spam"].datasets.values()]),
    )


def run(name: str, *arguments: str) -> None:
    """Run a command of the project to its end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [name, *arguments])
        MAINS[name]()


def ask(server: Server, question: LiteralString) -> list[tuple[object, ...]]:
    """Return what the server's database answers."""
    with psycopg.connect(server.database) as connection:
        return connection.execute(question).fetchall()


ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE name = 'spam' ORDER BY alias"


def test_a_version_goes_its_whole_way(
    project: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = []
    rows = starter_sides("spam")["train"]
    for chosen in (fewer(rows), rows):
        digests.append(train(chosen))
        for command in (["track"], ["register", "spam"], ["publish", "spam"]):
            run(*command)
    assert "v1" in capsys.readouterr().out
    assert ask(server, ALIASES) == [("challenger", 2), ("champion", 1)]

    run("compare", "spam", "champion", "challenger")
    assert "# spam: v1 and v2" in capsys.readouterr().out
    run("promote", "spam")
    assert "v2 is the champion" in capsys.readouterr().out
    assert ask(server, ALIASES) == [("challenger", 2), ("champion", 2)]
    run("rollback", "spam", "--reason", "a drill")
    assert ask(server, ALIASES) == [("challenger", 2), ("champion", 1)]

    hub = LocalHub(project / "hub")
    champion = hub.fetch(REPO, MAIN, project / ".cache")
    assert champion.release.digest == digests[0]
    assert [each.to for each in read_promotions(champion.path)] == ["v1", "v2", "v1"]
    with open_store() as store:
        (mirror,) = store.client.search_runs([store.experiment], f"tags.{PROMOTION_LOG} = 'spam'")
        log = tracking.download(store, mirror.info.run_id, "promotions.jsonl", project / "log")
        (compared,) = store.client.search_runs(
            [store.experiment], f"tags.{compare.COMPARISON} != ''"
        )
        shown = {each.path for each in store.client.list_artifacts(compared.info.run_id)}
    assert log.read_bytes() == (champion.path / "promotions.jsonl").read_bytes()
    assert shown
    # Nothing is kept here, everything there: rows in the database, files in the server's folder.
    assert not {"mlflow.db", "mlruns"} & {path.name for path in project.iterdir()}
    digests_there = ask(server, "SELECT value FROM model_version_tags WHERE key = 'digest'")
    assert {digest for (digest,) in digests_there} == set(digests)
    stored = list(server.artifacts.rglob("release/bundle/model.skops"))
    assert len(stored) == 4  # of spam and toxicity, in two results
    places = ask(server, "SELECT DISTINCT split_part(artifact_uri, '/', 1) FROM runs")
    assert places == [("mlflow-artifacts:",)]

    run("provenance", "spam", "v2")
    links = capsys.readouterr().out
    assert re.search(r"^ok +MLflow run .* FINISHED", links, re.MULTILINE)
    assert re.search(r"^ok +registered version .* version 2", links, re.MULTILINE)
    assert re.search(r"^ok +promotions .* after v1; champion is v1", links, re.MULTILINE)
