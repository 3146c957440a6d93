"""The running service against what is said of it: its own description, and docs/api.md."""

import re
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
from tests import documents
from tests.adzuna import APP_ID, APP_KEY, StandIn, stand_in
from tests.e2e.conftest import Server, Start
from tests.factories import ROOT

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


def test_the_examples_of_the_docs_run(complete: Complete, tmp_path: Path) -> None:
    """Each block as it stands, but for the address."""
    build_files(tmp_path)
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(bash|python)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks] == ["bash", "python", "python"]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "KEY": complete.key,
        "CURL_HOME": str(tmp_path),  # whose .curlrc has a refusal end a block
        "BENTOML_DO_NOT_TRACK": "True",
    }
    printed = {}
    for number, (kind, block) in enumerate(blocks):
        program = block.replace("localhost:3000", f"127.0.0.1:{complete.server.port}")
        command = ["bash", "-euo", "pipefail", "-c"] if kind == "bash" else [sys.executable, "-c"]
        ended = subprocess.run(
            [*command, program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, (block, ended.stdout, ended.stderr)
        printed[number] = ended.stdout
    assert printed[0].count('"request_id"') == blocks[0][1].count("curl ")
    assert "Jane Doe" in printed[1]
    assert "Kubernetes" in printed[1]
    assert "400 empty_text" in printed[2]
    assert "Kubernetes" in printed[2]


def build_files(folder: Path) -> None:
    """Write the files that the examples name."""
    lines = ["Jane Doe", "jane@example.com", "", "Skills", "Python, SQL"]
    job = ["Python Developer", "You must know Python and Kubernetes."]
    (folder / "resume.pdf").write_bytes(documents.simple_pdf(lines))
    (folder / "resume.docx").write_bytes(
        documents.word(lambda word: [word.add_paragraph(line) for line in lines])
    )
    (folder / "job.pdf").write_bytes(documents.simple_pdf(job))
    (folder / "job.txt").write_text("\n".join(job), encoding="utf-8")
    (folder / ".curlrc").write_text("fail-with-body\n", encoding="utf-8")
