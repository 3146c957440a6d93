"""Every link of a version's chain holds; each one broken is named; what is not here is told."""

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from models.cache import Fetched
from models.errors import HubUnavailableError, SignatureError
from models.hub import CHALLENGER, MAIN, LocalHub
from models.params import load_params
from models.trust import read_trust
from pipelines import provenance, publish
from pipelines.chain import Link, State
from pipelines.tracking import open_store, read_packaged
from tests.pipelines.broken import BREAKS, set_tag
from tests.pipelines.contest import NO_KEYS
from tests.pipelines.results import working_in
from tests.pipelines.traced import REPO, git, make_project, release, republish, restate, say, train

LINKS = (
    "hub",
    "release.json",
    "signature",
    "bundle",
    "file golden.jsonl",
    "file metrics.json",
    "file model.skops",
    "manifest",
    "git commit",
    "dvc.lock",
    "output",
    "code",
    "modules",
    "raw data",
    "tables",
    "libraries",
    "source starter",
    "params",
    "MLflow run",
    "registered version",
    "promotions",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a signed champion; the tests work in copies of it."""
    root = tmp_path_factory.mktemp("made") / "project"
    root.mkdir()
    with working_in(root), pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAREERLENS_SIGNING_KEY", ".cache/key")
        make_project(root)
        yield root


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project to work in, where its key is trusted."""
    root = tmp_path / "project"
    shutil.copytree(made, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("CAREERLENS_TRUSTED_KEYS", ".cache/key.pub")
    return root


def trace(revision: str = MAIN) -> dict[str, Link]:
    links = list(
        provenance.trace(LocalHub(Path("hub")), REPO, "spam", revision, read_trust(os.environ))
    )
    return {link.name: link for link in links}


def named(state: State, links: dict[str, Link]) -> set[str]:
    return {name for name, link in links.items() if link.state == state}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("revision", [MAIN, CHALLENGER, "v1"])
def test_the_whole_chain_holds(revision: str) -> None:
    links = trace(revision)
    assert tuple(links) == LINKS
    assert named("ok", links) == set(LINKS), [str(link) for link in links.values()]
    head = git("rev-parse", "HEAD")[:12]
    assert links["git commit"].text == f"{head} is HEAD; the tree was clean"
    assert f"is that of commit {head}; the working copy has the same" in links["dvc.lock"].text
    assert links["code"].text.startswith("all 3 files and folders")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("part", BREAKS)
def test_a_broken_link_is_named(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREERLENS_TRUSTED_KEYS", os.environ["CAREERLENS_TRUSTED_KEYS"])
    change, broken = BREAKS[part]
    change()
    links = trace()
    assert named("MISMATCH", links) == broken, [str(link) for link in links.values()]


@pytest.mark.usefixtures("project")
def test_what_is_not_here_is_told_and_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAREERLENS_TRUSTED_KEYS")
    kept = Path.cwd().with_name("kept")
    kept.mkdir()
    shutil.move("hub", kept)
    monkeypatch.chdir(kept)
    links = trace()
    assert named("MISMATCH", links) == set()
    here = {"hub", "release.json", "bundle", "manifest", "promotions"}
    assert {name for name in named("ok", links) if not name.startswith("file ")} == here
    assert set(links) - {"sources"} == set(LINKS) - {"source starter", "registered version"}
    assert "set CAREERLENS_TRUSTED_KEYS" in links["signature"].text
    assert not (kept / "mlflow.db").exists()


@pytest.mark.usefixtures("project")
def test_without_dvcs_cache_the_data_are_not_here() -> None:
    shutil.rmtree(".dvc/cache")
    links = trace()
    assert named("not here", links) == {"raw data", "tables"}
    assert "data/splits/spam/test.parquet" in links["tables"].text


@pytest.mark.usefixtures("project")
def test_a_run_that_no_store_can_have_is_not_looked_for() -> None:
    republish(lambda folder: say(folder, mlflow_run="0' or attributes.run_id != '1"))
    assert trace()["MLflow run"].state == "not here"


@pytest.mark.usefixtures("project")
def test_the_modules_are_those_of_the_commit_whatever_lies_here_now() -> None:
    with Path("pipelines/package.py").open("a") as file:
        file.write("# a line more\n")
    assert trace()["modules"].state == "ok"
    republish(lambda folder: restate(folder, code="0" * 64))
    with Path("pipelines/kinds.py").open("a") as file:
        file.write("# a stage more\n")
    link = trace()["modules"]
    assert (link.state, "pipelines/kinds.py" in link.text) == ("not here", True)


@pytest.mark.usefixtures("project")
def test_params_read_otherwise_since_then_are_not_compared() -> None:
    republish(lambda folder: restate(folder, params="0" * 64))
    with Path("models/params.py").open("a") as file:
        file.write("# a rule more\n")
    link = trace()["params"]
    assert (link.state, "models/params.py" in link.text) == ("not here", True)


@pytest.mark.usefixtures("project")
def test_a_key_that_is_none_is_an_error_and_no_broken_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREERLENS_TRUSTED_KEYS", "dvc.yaml")
    with pytest.raises(SignatureError, match="no readable key"):
        trace()


@pytest.mark.usefixtures("project")
def test_a_dvc_lock_amid_a_merge_is_another() -> None:
    Path("dvc.lock").write_text("<<<<<<< HEAD\n{")
    links = trace()
    assert named("ok", links) == set(LINKS)
    assert "the working copy has another" in links["dvc.lock"].text


@pytest.mark.usefixtures("project")
def test_a_version_may_be_on_another_hub_too() -> None:
    with open_store() as store:
        publish.publish(store, LocalHub(Path("other hub")), "spam", load_params(), NO_KEYS)
    assert named("ok", trace()) == set(LINKS)


class Away(LocalHub):
    """A hub that does not answer."""

    def fetch(self, *_: object) -> Fetched:
        raise HubUnavailableError("away")


@pytest.mark.usefixtures("project")
def test_while_the_hub_is_away_the_last_copy_is_traced() -> None:
    trace()
    trust = read_trust(os.environ)
    away = provenance.trace(Away(Path()), REPO, "spam", MAIN, trust)
    links = {link.name: link for link in away}
    assert named("not here", links) == {"hub"}
    assert named("MISMATCH", links) == set()
    shutil.rmtree(".cache/careerlens")
    with pytest.raises(HubUnavailableError):
        list(provenance.trace(Away(Path()), REPO, "spam", MAIN, NO_KEYS))


@pytest.mark.usefixtures("project")
def test_a_commit_id_that_is_none_is_not_given_to_git() -> None:
    republish(lambda folder: say(folder, git_commit="--output=stolen"))
    assert trace()["git commit"].state == "not here"
    assert not list(Path.cwd().rglob("stolen*"))


@pytest.mark.usefixtures("project")
def test_the_lock_is_followed_to_where_it_was_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREERLENS_SIGNING_KEY", ".cache/key")
    first = git("rev-parse", "HEAD")[:12]
    train(alpha=0.2)
    release()
    waiting = trace(CHALLENGER)
    assert named("ok", waiting) == set(LINKS), [str(link) for link in waiting.values()]
    assert waiting["git commit"].text == f"{first} is HEAD; the tree had changes not yet committed"
    assert "is that of the working copy" in waiting["dvc.lock"].text
    assert waiting["promotions"].text == "v2 never was champion; champion is v1"
    git("commit", "--quiet", "-am", "an experiment")
    git("branch", "experiment")
    git("commit", "--quiet", "--amend", "-m", "another result")
    recorded = trace(CHALLENGER)
    assert named("ok", recorded) == set(LINKS)
    second = git("rev-parse", "HEAD")[:12]
    assert recorded["git commit"].text.startswith(f"{first} is an ancestor of HEAD")
    assert f"is that of commit {second}" in recorded["dvc.lock"].text
    assert f"those of commit {second}" in recorded["code"].text
    git("reset", "--quiet", "--hard", first)
    git("branch", "--quiet", "-D", "experiment")
    lost = trace(CHALLENGER)
    assert named("MISMATCH", lost) == {"dvc.lock", "params"}
    assert "nor a later commit" in lost["dvc.lock"].text
    assert named("ok", trace("v1")) == set(LINKS)


@pytest.mark.usefixtures("project")
def test_the_card_on_the_hub_has_the_chain() -> None:
    hub = LocalHub(Path("hub"))
    found = hub.fetch(REPO, MAIN, Path(".cache/other"))
    card = (found.path / "README.md").read_text()
    manifest = read_packaged(found.path)
    for part in (found.release.git_commit, found.release.dvc_lock, found.release.mlflow_run):
        assert f"`{part}`" in card
    assert manifest.params in card
    assert f"numpy {version('numpy')}" in card


@pytest.mark.usefixtures("project")
def test_the_command_says_how_many_links_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, "spam") == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(LINKS) + 1
    assert all(line.startswith("ok ") for line in printed[:-1])
    assert printed[-1] == f"{len(LINKS)} links hold"
    set_tag("bundle", "0" * 64, of_run=True)
    assert exit_code(monkeypatch, "spam", "v1") == (
        f"provenance: of {len(LINKS)} links 1 do not hold: MLflow run"
    )
    assert "MISMATCH  MLflow run" in capsys.readouterr().out
    assert "no revision 'v9'" in str(exit_code(monkeypatch, "spam", "v9"))


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr("sys.argv", ["provenance", *arguments])
    try:
        provenance.main()
    except SystemExit as ended:
        return ended.code
    return 0
