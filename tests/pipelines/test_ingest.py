import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines import ingest as stage
from pipelines.ingest import IngestError, Wanted, fetch, ingest, mirror_folder
from pipelines.sources import Catalogue, RawIndex, choose_sources
from tests.factories import ROOT

SPAM, TOXIC = b"label,text\nspam,win a prize\n", b"you are dreadful,1\n"
JOBS = b"title\nCook\n"
RESERVED = b"# Hashes.\n0001210a98b0cf14\n"

Answer = tuple[int, bytes]
BROKEN = -1  # a status of ours: half the announced bytes, then the connection ends


class ScriptedServer(ThreadingHTTPServer):
    """Answers each request for a path with the next of its answers, the last one for ever."""

    script: dict[str, list[Answer]]
    asked: list[str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ScriptedHandler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answers = self.server.script[self.path]
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(200 if status == BROKEN else status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if status == BROKEN else body)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(stage, "WAITS_SECONDS", (0.0, 0.0, 0.0))
    with ScriptedServer(("127.0.0.1", 0), ScriptedHandler) as running:
        running.script = {
            "/spam.csv": [(200, SPAM)],
            "/toxic.csv": [(200, TOXIC)],
            "/jobs.csv": [(200, JOBS)],
        }
        running.asked = []
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_catalogue(address: str) -> Catalogue:
    def source(task: str, file: str, content: bytes) -> dict[str, object]:
        facts = {"role": "train", "url": f"{address}/{file}", "sha256": sha256(content)}
        return {
            "corpus": "public",
            "task": task,
            "licence": "CC0",
            "about": "",
            "reader": task,
            "files": {file: {**facts, "bytes": len(content)}},
        }

    def starter(task: str, **files: str | None) -> dict[str, object]:
        return {
            "corpus": "starter",
            "task": task,
            "licence": "Apache-2.0",
            "about": "",
            "reader": task,
            "files": {
                name.replace("_", "."): {"role": "train", "folder": folder}
                for name, folder in files.items()
            },
        }

    return Catalogue.model_validate(
        {
            "reserved": {"sha256": sha256(RESERVED)},
            "sources": {
                "starter": starter("moderation", messages_csv=None),
                "starter_jobs": starter("jobs", postings_jsonl=None, resumes_yaml="jobs"),
                "letters": source("spam", "spam.csv", SPAM),
                "comments": source("toxicity", "toxic.csv", TOXIC),
                "adverts": source("jobs", "jobs.csv", JOBS),
            },
        }
    )


def make_mirror(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_csv", ".csv").replace("_txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def bring(
    catalogue: Catalogue, raw: Path, mirror: Path | None = None, corpus: str = "public"
) -> RawIndex:
    choice = choose_sources(catalogue, corpus, [])  # type: ignore[arg-type]
    return ingest(catalogue, choice, {"starter": raw.parent / "starter"}, raw, mirror)


def make_starter(folder: Path) -> None:
    """Write a starter corpus next to ``folder``/raw."""
    (folder / "starter" / "jobs").mkdir(parents=True)
    for name in ("messages.csv", "postings.jsonl", "jobs/resumes.yaml"):
        (folder / "starter" / name).write_text(f"content of {name}\n")


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def wanted(server_address: str, folder: Path) -> tuple[Wanted, Path]:
    incoming = folder / "incoming"
    incoming.mkdir()
    target = folder / "letters" / "spam.csv"
    url = f"{server_address}/spam.csv"
    return Wanted("letters", "spam.csv", target, sha256(SPAM), len(SPAM), url), incoming


def test_files_come_from_their_addresses_and_are_described(
    server: ScriptedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "raw"
    index = bring(make_catalogue(server.address), raw)
    assert files_below(raw) == {"letters/spam.csv", "comments/toxic.csv", "adverts/jobs.csv"}
    assert (raw / "letters" / "spam.csv").read_bytes() == SPAM
    assert index.order == ("letters", "comments", "adverts")
    assert index.sources["letters"].files["spam.csv"].sha256 == sha256(SPAM)
    assert index.sources["letters"].files["spam.csv"].bytes == len(SPAM)
    assert index.reserved is None
    assert "cannot be left out of training" in capsys.readouterr().err


def test_the_mirror_comes_first_and_the_address_serves_what_it_lacks(
    server: ScriptedServer, tmp_path: Path
) -> None:
    mirror = make_mirror(tmp_path / "mirror", letters__spam_csv=SPAM, reserved_txt=RESERVED)
    index = bring(make_catalogue(server.address), tmp_path / "raw", mirror)
    assert server.asked == ["/toxic.csv", "/jobs.csv"]
    assert files_below(tmp_path / "raw") == {
        "letters/spam.csv",
        "comments/toxic.csv",
        "adverts/jobs.csv",
        "reserved.txt",
    }
    assert index.reserved is not None
    assert index.reserved.count == 1


def test_a_wrong_file_in_the_mirror_is_named_and_not_replaced_from_the_net(
    server: ScriptedServer, tmp_path: Path
) -> None:
    mirror = make_mirror(tmp_path / "mirror", letters__spam_csv=b"?", reserved_txt=RESERVED)
    with pytest.raises(IngestError) as caught:
        bring(make_catalogue(server.address), tmp_path / "raw", mirror)
    message = str(caught.value)
    for named in ("letters", "spam.csv", str(mirror / "letters" / "spam.csv"), "update the sha256"):
        assert named in message
    assert server.asked == []
    assert files_below(tmp_path / "raw") == set()


@pytest.mark.parametrize("files", [{}, {"reserved_txt": b"other"}])
def test_a_mirror_without_the_right_reserved_list_is_refused(
    server: ScriptedServer, tmp_path: Path, files: dict[str, bytes]
) -> None:
    mirror = make_mirror(tmp_path / "mirror", letters__spam_csv=SPAM, **files)
    with pytest.raises(IngestError, match=r"reserved\.txt"):
        bring(make_catalogue(server.address), tmp_path / "raw", mirror)
    assert "reserved.txt" not in files_below(tmp_path / "raw")


def test_a_second_run_by_hand_keeps_right_files_and_mends_wrong_ones(
    server: ScriptedServer, tmp_path: Path
) -> None:
    catalogue, raw = make_catalogue(server.address), tmp_path / "raw"
    first = bring(catalogue, raw)
    (raw / "letters" / "spam.csv").write_bytes(b"damaged")
    server.asked.clear()
    assert bring(catalogue, raw) == first
    assert server.asked == ["/spam.csv"]
    assert (raw / "letters" / "spam.csv").read_bytes() == SPAM


def test_what_another_corpus_left_is_removed(server: ScriptedServer, tmp_path: Path) -> None:
    catalogue, raw = make_catalogue(server.address), tmp_path / "raw"
    make_starter(tmp_path)
    bring(catalogue, raw)
    index = bring(catalogue, raw, corpus="starter")
    assert files_below(raw) == {
        "starter/messages.csv",
        "starter_jobs/postings.jsonl",
        "starter_jobs/resumes.yaml",
    }
    assert set(raw.iterdir()) == {raw / "starter", raw / "starter_jobs"}
    content = b"content of jobs/resumes.yaml\n"
    assert index.sources["starter_jobs"].files["resumes.yaml"].sha256 == sha256(content)


def test_a_folder_with_files_of_somebody_else_is_left_alone(
    server: ScriptedServer, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "thesis.docx").write_bytes(b"precious")
    with pytest.raises(IngestError, match=r"thesis\.docx"):
        bring(make_catalogue(server.address), raw)
    assert (raw / "thesis.docx").read_bytes() == b"precious"


def test_failures_that_may_pass_are_tried_again(server: ScriptedServer, tmp_path: Path) -> None:
    server.script["/spam.csv"] = [(500, b"down"), (BROKEN, SPAM), (429, b"wait"), (200, SPAM)]
    file, incoming = wanted(server.address, tmp_path)
    fetch(file, incoming)
    assert file.target.read_bytes() == SPAM
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("answer", "requests", "said"),
    [
        ((404, b"not found"), 1, "answered 404"),
        ((503, b"later"), 4, "answered 503"),
        ((BROKEN, SPAM), 4, "cannot be read"),
        ((200, b"<html>sign in</html>"), 1, "other bytes than declared"),
    ],
)
def test_a_failed_download_names_source_address_and_remedy_and_leaves_nothing(
    server: ScriptedServer, tmp_path: Path, answer: Answer, requests: int, said: str
) -> None:
    server.script["/spam.csv"] = [answer]
    file, incoming = wanted(server.address, tmp_path)
    with pytest.raises(IngestError) as caught:
        fetch(file, incoming)
    for named in ("source letters", "file spam.csv", f"{server.address}/spam.csv", said):
        assert named in str(caught.value)
    assert "set DATA_MIRROR" in str(caught.value)
    assert len(server.asked) == requests
    assert files_below(tmp_path) == set()


def test_a_wrong_download_shows_both_digests(server: ScriptedServer, tmp_path: Path) -> None:
    server.script["/spam.csv"] = [(200, b"changed")]
    file, incoming = wanted(server.address, tmp_path)
    with pytest.raises(IngestError) as caught:
        fetch(file, incoming)
    assert sha256(SPAM) in str(caught.value)
    assert sha256(b"changed") in str(caught.value)


@pytest.mark.usefixtures("server")
def test_an_unreachable_address_names_the_mirror_that_lacked_the_file(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
    file, incoming = wanted(nobody, tmp_path)
    mirror = make_mirror(tmp_path / "mirror", other__x_csv=b"x")
    with pytest.raises(IngestError, match="cannot be read") as caught:
        fetch(file, incoming, mirror)
    for named in ("letters", f"{nobody}/spam.csv", str(mirror), "check the network"):
        assert named in str(caught.value)
    assert not file.target.exists()
    assert list(incoming.iterdir()) == []


def test_a_file_that_fails_leaves_the_verified_ones_before_it_and_no_index(
    server: ScriptedServer, tmp_path: Path
) -> None:
    server.script["/toxic.csv"] = [(404, b"")]
    with pytest.raises(IngestError):
        bring(make_catalogue(server.address), tmp_path / "raw")
    assert files_below(tmp_path / "raw") == {"letters/spam.csv"}


def test_a_missing_file_of_the_starter_corpus_says_how_to_restore_it(tmp_path: Path) -> None:
    make_starter(tmp_path)
    (tmp_path / "starter" / "jobs" / "resumes.yaml").unlink()
    with pytest.raises(IngestError, match=r"git checkout -- .*starter/jobs/resumes\.yaml"):
        bring(make_catalogue("http://localhost"), tmp_path / "raw", corpus="starter")
    assert not (tmp_path / "raw" / "starter_jobs" / "resumes.yaml").exists()


def test_a_relative_mirror_starts_at_dvcs_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "repo" / "copy").mkdir()
    monkeypatch.chdir(tmp_path / "repo" / "copy")
    root = str(tmp_path / "repo")
    assert mirror_folder({"DATA_MIRROR": "../mirror", "DVC_ROOT": root}) == tmp_path / "mirror"
    assert mirror_folder({"DATA_MIRROR": str(tmp_path / "mirror")}) == tmp_path / "mirror"
    with pytest.raises(IngestError, match=r"DATA_MIRROR=\.\./mirror"):
        mirror_folder({"DATA_MIRROR": "../mirror"})


def test_no_mirror_is_no_error() -> None:
    assert mirror_folder({}) is None
    assert mirror_folder({"DATA_MIRROR": " "}) is None


def test_the_stage_brings_the_starter_corpus_with_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    sources, starter = ROOT / "data/sources.yaml", ROOT / "data/starter"
    words = ["--sources", str(sources), "--starter", str(starter), "--raw", "data/raw"]
    words += ["--feedback", "data/feedback"]  # nobody ever exported anything
    monkeypatch.setattr("sys.argv", ["ingest", *words])
    monkeypatch.setenv("DATA_MIRROR", "no/such/folder")  # of no concern to the starter corpus
    stage.main()
    raw = tmp_path / "data" / "raw"
    assert files_below(raw) == {
        "sources.json",
        "starter/messages.csv",
        "starter_jobs/postings.jsonl",
        "starter_jobs/resumes.yaml",
    }
    index = json.loads((raw / "sources.json").read_text())
    assert index["corpus"] == "starter"
    assert index["reserved"] is None
    for source, name, origin in (
        ("starter", "messages.csv", "messages.csv"),
        ("starter_jobs", "resumes.yaml", "jobs/resumes.yaml"),
    ):
        content = (starter / origin).read_bytes()
        assert (raw / source / name).read_bytes() == content
        assert index["sources"][source]["files"][name]["sha256"] == sha256(content)
