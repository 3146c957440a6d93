"""Batches scored by a real cluster: a scheduler and two workers, each a process of its own."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from models.compiled_bundle import load_text_bundle
from models.errors import SignatureError
from models.hub import LocalHub
from models.manifest import Kind
from models.moderation import Moderator, ServedModel
from models.signing import generate_keys
from pipelines import batch_work, score
from pipelines import cluster as clusters
from pipelines.batch_files import BatchError, Output
from pipelines.batch_input import open_batch
from pipelines.batch_work import Job, score_partition
from pipelines.cluster import ClusterError, connect
from tests.factories import MESSAGES, ROOT, make_release
from tests.pipelines.results import working_in
from tests.serving.champions import promote

TEXTS = [text for text, *_ in MESSAGES]
_SECONDS = 120.0


def start(*command: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start a Python module in ``folder``."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CAREERLENS_")
    }
    with (folder / "said.txt").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment | {"PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=said,
        )


def wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_bundles: Mapping[Kind, Path]) -> Path:
    """A project with a champion of every kind in its hub."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "params.yaml", root)
    for kind, packaged in tiny_bundles.items():
        promote(LocalHub(root / "hub"), kind, packaged, 1, root / "scratch")
    return root


class Cluster:
    """A scheduler and two workers that are not restarted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = folder / "scheduler.json"
        self.processes = [
            start(
                *("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"),
                *("--no-dashboard", "--scheduler-file", str(found)),
                folder=folder,
            )
        ]
        wait_for(found.exists, "no scheduler")
        wait_for(lambda: found.read_text().endswith("}"), "no address")
        self.address: str = json.loads(found.read_text())["address"]
        self.workers = [self.hire(), self.hire()]

    def hire(self) -> subprocess.Popen[bytes]:
        """Start one worker more."""
        worker = start(
            *("distributed.cli.dask_worker", self.address, "--nthreads", "1"),
            *("--no-nanny", "--no-dashboard"),
            folder=self._folder,
        )
        self.processes.append(worker)
        return worker

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(project: Path) -> Iterator[Cluster]:
    cluster = Cluster(project)
    yield cluster
    cluster.stop()


def write_messages(path: Path, count: int) -> list[str]:
    """Write so many messages as a CSV, no two the same, and return their texts."""
    texts = [f"{TEXTS[number % len(TEXTS)]} {number}" for number in range(count)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("name", "text"), *((f"m{n}", t) for n, t in enumerate(texts))])
    return texts


def arguments(project: Path, source: Path, target: Path, **chosen: Any) -> Namespace:
    given = {"model": "moderation", "column": "text", "id": None, "rows": 100, "workers": 1}
    hub = LocalHub(project / "hub")
    return Namespace(
        **{**given, "scheduler": None, "hub": hub, **chosen},
        input=str(source),
        output=str(target),
    )


def expected_verdicts(tiny_bundles: Mapping[Kind, Path], texts: list[str]) -> list[dict[str, Any]]:
    served = []
    kinds: tuple[Kind, Kind] = ("spam", "toxicity")
    for kind in kinds:
        bundle = load_text_bundle(tiny_bundles[kind] / "bundle", kind)
        assert bundle.manifest.thresholds is not None
        served.append(ServedModel(bundle, "v1", bundle.manifest.thresholds))
    return [verdict.as_dict() for verdict in Moderator(*served).moderate(texts)]


def test_a_job_outlives_its_workers_and_its_client(
    project: Path, cluster: Cluster, tmp_path: Path, tiny_bundles: Mapping[Kind, Path]
) -> None:
    texts = write_messages(tmp_path / "m.csv", 2_000)
    target = tmp_path / "out.csv"
    command = ("pipelines.score", str(tmp_path / "m.csv"), str(target), "--model", "moderation")
    options = ("--id", "name", "--rows", "40", "--scheduler", cluster.address)
    client = start(*command, *options, folder=project)

    def parts() -> list[Path]:
        return sorted(Path(f"{target}.parts").glob("part-*"))

    wait_for(lambda: len(parts()) >= 3, "nothing scored")
    cluster.workers[0].send_signal(signal.SIGKILL)
    wait_for(lambda: len(parts()) >= 8, "one worker does not go on")
    client.kill()
    client.wait()
    done = parts()
    assert not target.exists()
    assert len(done) < 50
    # What was done is taken as it is: scored again, it would lose this mark.
    done[0].write_text(done[0].read_text().replace("m0,", "marked,", 1))

    with working_in(project):
        found = score.score(
            arguments(
                project, tmp_path / "m.csv", target, id="name", rows=40, scheduler=cluster.address
            )
        )
    assert sum(part.rows for part in found) == 2_000
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["row"]) for row in rows] == list(range(2_000))
    assert [row["id"] for row in rows] == ["marked", *(f"m{number}" for number in range(1, 2_000))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.csv", "out.csv"]
    verdicts = expected_verdicts(tiny_bundles, texts[::20])
    for row, verdict in zip(rows[::20], verdicts, strict=True):
        assert row["action"] == verdict["action"]
        assert float(row["spam_score"]) == pytest.approx(verdict["spam"]["score"], abs=1e-9)
        assert json.loads(row["toxicity_spans"]) == verdict["toxicity"]["spans"]
        assert (row["spam_version"], row["spam_digest"]) == ("v1", verdict["spam"]["digest"])


def test_rows_that_cannot_be_scored_are_told_and_cost_no_others(
    project: Path, cluster: Cluster, tmp_path: Path
) -> None:
    texts: list[Any] = [
        *("first", None, 7, "", " \t", "x" * 10_001, "a\0b", "\ud800", {"text": "nested"}),
        "last",
    ]
    lines = [json.dumps({"text": text, "n": n}) for n, text in enumerate(texts)]
    (tmp_path / "m.jsonl").write_text("\n".join([*lines, "{"]))
    target = tmp_path / "out.parquet"
    with working_in(project):
        score.score(
            arguments(
                project, tmp_path / "m.jsonl", target, id="n", rows=4, scheduler=cluster.address
            )
        )
    table = pq.read_table(target).to_pylist()
    assert [(row["row"], row["id"]) for row in table] == [(0, "0"), (9, "9")]
    faults = Path(f"{target}.errors.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in faults] == [
        {"row": 1, "id": "1", "reason": "text is missing"},
        {"row": 2, "id": "2", "reason": "text is no string but int"},
        {"row": 3, "id": "3", "reason": "text is empty"},
        {"row": 4, "id": "4", "reason": "text is empty"},
        {"row": 5, "id": "5", "reason": "text has 10,001 characters, more than 10,000"},
        {"row": 6, "id": "6", "reason": "text holds the character NUL"},
        {"row": 7, "id": "7", "reason": "text is not UTF-8"},
        {"row": 8, "id": "8", "reason": "text is no string but dict"},
        {"row": 10, "id": None, "reason": "is not JSON"},
    ]


def test_resumes_are_read_for_skills_and_jobs(
    project: Path, cluster: Cluster, tmp_path: Path
) -> None:
    resume = "Backend developer: six years of Python and Django, deployed with Docker."
    (tmp_path / "r.jsonl").write_text(json.dumps({"resume": resume}) + "\n")
    found = {}
    with working_in(project):
        for model in ("skills", "recommend"):
            target = tmp_path / f"{model}.jsonl"
            chosen = {"model": model, "column": "resume", "scheduler": cluster.address}
            score.score(arguments(project, tmp_path / "r.jsonl", target, **chosen))
            [line] = target.read_text().splitlines()
            found[model] = json.loads(line)
    python = next(skill for skill in found["skills"]["skills"] if skill["name"] == "Python")
    assert (python["category"], python["stated"]) == ("tool", True)
    [span] = python["spans"]
    assert resume[span["start"] : span["end"]] == "Python"
    jobs = found["recommend"]["jobs"]
    assert len(jobs) == 10
    assert [job["score"] for job in jobs] == sorted((job["score"] for job in jobs), reverse=True)
    assert found["recommend"]["similar_roles"][0]["title"] == "Backend Developer"
    assert found["recommend"].keys() >= {"skills_digest", "matching_digest", "matching_version"}


@pytest.fixture
def begun(project: Path, cluster: Cluster, tmp_path: Path) -> Namespace:
    """A job whose first two of four parts are done, in a project of its own."""
    shutil.copytree(project / "hub", tmp_path / "hub")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    write_messages(tmp_path / "m.csv", 400)
    target = tmp_path / "out.jsonl"
    given = arguments(tmp_path, tmp_path / "m.csv", target, scheduler=cluster.address)
    with working_in(tmp_path), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Output, "finish", lambda *_: None)
        score.score(given)
    for part in sorted(Path(f"{target}.parts").glob("part-*"))[2:]:
        part.unlink()
    return given


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [lines[0], "m,inserted\n", *lines[1:]],
        lambda lines: lines[:150],
        lambda lines: lines[:101],
    ],
)
def test_an_input_that_changed_meanwhile_is_told(begun: Namespace, change: Any) -> None:
    source = Path(begun.input)
    source.write_text("".join(change(source.read_text().splitlines(keepends=True))))
    before = sorted(Path(f"{begun.output}.parts").iterdir())
    with working_in(source.parent), pytest.raises(BatchError, match=r"is not what .* begun with"):
        score.score(begun)
    assert not Path(begun.output).exists()
    assert sorted(Path(f"{begun.output}.parts").iterdir()) >= before


def test_a_job_goes_on_only_as_it_was_begun(begun: Namespace) -> None:
    begun.rows = 50
    with working_in(Path(begun.input).parent), pytest.raises(BatchError, match="rows 100, not 50"):
        score.score(begun)


def test_a_job_goes_on_with_the_models_it_was_begun_with(
    begun: Namespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_release(tmp_path / "better", "spam", extra=("One message more to learn from",))
    promote(LocalHub(tmp_path / "hub"), "spam", tmp_path / "better", 2, tmp_path / "scratch")
    with working_in(tmp_path):
        score.score(begun)
    rows = [json.loads(line) for line in Path(begun.output).read_text().splitlines()]
    assert len(rows) == 400
    assert {row["spam_version"] for row in rows} == {"v1"}
    assert "spam v1 goes on" in capsys.readouterr().out


def test_an_output_that_is_there_is_left_alone(project: Path, tmp_path: Path) -> None:
    write_messages(tmp_path / "m.csv", 3)
    target = tmp_path / "out.csv"
    target.write_text("of another job")
    with working_in(project), pytest.raises(BatchError, match="is there already"):
        score.score(arguments(project, tmp_path / "m.csv", target))
    assert target.read_text() == "of another job"


def test_models_that_nobody_signed_score_nothing_where_signatures_count(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_messages(tmp_path / "m.csv", 3)
    generate_keys(tmp_path / "private.pem", tmp_path / "public.pem")
    monkeypatch.setenv("CAREERLENS_TRUSTED_KEYS", str(tmp_path / "public.pem"))
    with working_in(project), pytest.raises(SignatureError):
        score.score(arguments(project, tmp_path / "m.csv", tmp_path / "out.csv"))
    assert not (tmp_path / "out.csv.parts").exists()


def test_a_row_that_nobody_foresaw_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(texts: Sequence[str]) -> list[dict[str, Any]]:
        if "bad 2" in texts:
            raise RecursionError
        return [{"skills": []} for _ in texts]

    monkeypatch.setattr(batch_work, "_load", lambda *_: answer)
    (tmp_path / "m.csv").write_text("text\n" + "".join(f"bad {number}\n" for number in range(5)))
    with open_batch(str(tmp_path / "m.csv"), "text", None, 100) as batch:
        job = Job("skills", "", (), batch.layout, "jsonl", compressed=False)
        [scored] = [score_partition(job, partition) for partition in batch.partitions]
    assert [json.loads(line)["row"] for line in scored.content.splitlines()] == [0, 1, 3, 4]
    assert json.loads(scored.errors) == {"row": 2, "reason": "cannot be scored: RecursionError"}


def test_without_a_scheduler_the_processes_are_ours(project: Path, tmp_path: Path) -> None:
    write_messages(tmp_path / "m.csv", 250)
    target = tmp_path / "out.csv"
    command = ("pipelines.score", str(tmp_path / "m.csv"), str(target), "--model", "moderation")
    assert start(*command, "--rows", "100", "--workers", "1", folder=project).wait(_SECONDS) == 0
    with target.open(newline="") as file:
        assert [int(row["row"]) for row in csv.DictReader(file)] == list(range(250))
    assert f"score: 250 rows are in {target}" in (project / "said.txt").read_text()


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_SECONDS", 0.5)
    with (
        pytest.raises(ClusterError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"),
        connect("tcp://127.0.0.1:1", 1),
    ):
        pass


def test_a_cluster_without_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_SECONDS", 0.5)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(ClusterError, match="has no workers"),
        connect(empty.scheduler_address, 1),
    ):
        pass
