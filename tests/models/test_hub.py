import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from models.commits import Commit, File
from models.errors import ConflictError, HubError, UnknownRevisionError, VersionExistsError
from models.hub import CHALLENGER, MAIN, LocalHub, Refs, open_hub, repo_id
from models.release import Promotion, Release, read_promotions, write_release

REPO = "careerlens/careerlens-spam"
DIGEST = "ab" * 32
PROCESSES = 3


def make_folder(folder: Path, version: int, content: str = "model") -> Path:
    """Write a folder in the shape of a release."""
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle" / "model.skops").write_text(f"{content} {version}")
    (folder / "README.md").write_text("# card\n")
    release = Release(
        kind="spam",
        version=version,
        digest=DIGEST,
        git_commit=None,
        dvc_lock=None,
        mlflow_run=None,
        signer=None,
        created="2026-11-23T00:00:00+00:00",
    )
    write_release(release, folder)
    return folder


def promotion(to: str, before: str | None = None) -> Promotion:
    return Promotion(
        who="ann",
        when="2026-11-23",
        before=before,
        to=to,
        digest=DIGEST,
        decision={"accepted": True},
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "commit.json"
    }


def commits_of(hub: LocalHub) -> set[str]:
    return set(os.listdir(hub.root / REPO / "commits"))


@pytest.fixture
def hub(tmp_path: Path) -> LocalHub:
    return LocalHub(tmp_path / "hub")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "first", 1)


class CrashError(Exception):
    """Stands for the end of the process."""


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Make the ``number``-th rename fail, and every one after it."""
    done = []
    replace = os.replace

    def replace_or_crash(source: Path, target: Path) -> None:
        done.append(target)
        if len(done) >= number:
            raise CrashError
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_or_crash)


# --- publish


@pytest.mark.parametrize("revision", ["v1", CHALLENGER, "the commit itself"])
def test_what_was_published_is_what_is_fetched(
    hub: LocalHub, first: Path, tmp_path: Path, revision: str
) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    fetched = hub.fetch(
        REPO, revision if revision in ("v1", CHALLENGER) else oid, tmp_path / "cache"
    )
    assert fetched.commit == oid
    assert files_of(fetched.path) == files_of(first)
    assert fetched.release.tag == "v1"
    assert fetched.release.digest == DIGEST


def test_publishing_the_same_again_changes_nothing(hub: LocalHub, first: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    before = hub.refs(REPO)
    assert hub.publish(REPO, 1, first, "v1") == oid
    assert hub.refs(REPO) == before
    assert commits_of(hub) == {oid}


def test_a_version_never_changes(hub: LocalHub, first: Path, tmp_path: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    other = make_folder(tmp_path / "other", 1, content="another model")
    with pytest.raises(VersionExistsError, match="v1 of careerlens/careerlens-spam"):
        hub.publish(REPO, 1, other, "v1")
    assert hub.refs(REPO) == Refs(branches={CHALLENGER: oid}, tags={"v1": oid})


def test_challenger_is_the_newest_and_older_tags_stay(
    hub: LocalHub, first: Path, tmp_path: Path
) -> None:
    one = hub.publish(REPO, 1, first, "v1")
    two = hub.publish(REPO, 2, make_folder(tmp_path / "second", 2), "v2")
    assert hub.refs(REPO) == Refs(branches={CHALLENGER: two}, tags={"v1": one, "v2": two})
    assert hub.publish(REPO, 1, first, "v1") == one
    assert hub.refs(REPO).branches[CHALLENGER] == two


@pytest.mark.parametrize("rename", [1, 2], ids=["of the commit", "of the refs"])
def test_a_publish_that_crashed_is_not_seen_and_is_repeated_to_the_same_end(
    hub: LocalHub, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rename: int
) -> None:
    undisturbed = LocalHub(tmp_path / "undisturbed").publish(REPO, 1, first, "v1")
    with monkeypatch.context() as patch:
        crash_at(patch, rename)
        with pytest.raises(CrashError):
            hub.publish(REPO, 1, first, "v1")
    with pytest.raises(UnknownRevisionError):
        hub.refs(REPO)
    assert hub.publish(REPO, 1, first, "v1") == undisturbed
    assert commits_of(hub) == {undisturbed}


@pytest.mark.parametrize("link", ["bundle/model.skops", "bundle"])
def test_a_folder_with_a_link_is_not_published(
    hub: LocalHub, first: Path, tmp_path: Path, link: str
) -> None:
    (first / link).rename(tmp_path / "elsewhere")
    (first / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HubError, match="not a plain file"):
        hub.publish(REPO, 1, first, "v1")


# --- point


def test_main_gets_the_content_of_the_version_and_the_log_of_promotions(
    hub: LocalHub, first: Path, tmp_path: Path
) -> None:
    one = hub.publish(REPO, 1, first, "v1")
    main = hub.point(REPO, MAIN, "v1", None, promotion("v1"))
    assert main != one
    fetched = hub.fetch(REPO, MAIN, tmp_path / "cache")
    log = {"promotions.jsonl": promotion("v1").line().encode()}
    assert files_of(fetched.path) == files_of(first) | log

    hub.publish(REPO, 2, make_folder(tmp_path / "second", 2), "v2")
    hub.point(REPO, MAIN, "v2", main, promotion("v2", before="v1"))
    fetched = hub.fetch(REPO, MAIN, tmp_path / "cache")
    assert fetched.release.version == 2
    assert read_promotions(fetched.path) == [promotion("v1"), promotion("v2", before="v1")]
    assert json.loads(promotion("v2", before="v1").line())["from"] == "v1"


@pytest.mark.parametrize("seen", [None, "f" * 40])
def test_a_branch_that_somebody_moved_is_not_moved_over(
    hub: LocalHub, first: Path, seen: str | None
) -> None:
    hub.publish(REPO, 1, first, "v1")
    main = hub.point(REPO, MAIN, "v1", None, promotion("v1"))
    with pytest.raises(ConflictError, match=main[:12]):
        hub.point(REPO, MAIN, "v1", seen, promotion("v1"))
    assert hub.refs(REPO).branches[MAIN] == main


@pytest.mark.parametrize("rename", [1, 2], ids=["of the commit", "of the refs"])
def test_a_promotion_that_crashed_leaves_main_where_it_was(
    hub: LocalHub, first: Path, monkeypatch: pytest.MonkeyPatch, rename: int
) -> None:
    hub.publish(REPO, 1, first, "v1")
    before = hub.refs(REPO)
    with monkeypatch.context() as patch:
        crash_at(patch, rename)
        with pytest.raises(CrashError):
            hub.point(REPO, MAIN, "v1", None, promotion("v1"))
    assert hub.refs(REPO) == before
    main = hub.point(REPO, MAIN, "v1", None, promotion("v1"))
    assert hub.refs(REPO).branches[MAIN] == main


# --- fetch


def test_a_fetched_commit_is_found_without_the_hub(
    hub: LocalHub, first: Path, tmp_path: Path
) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    there = hub.fetch(REPO, "v1", tmp_path / "cache")
    shutil.rmtree(hub.root)
    assert hub.fetch(REPO, oid, tmp_path / "cache") == there
    with pytest.raises(UnknownRevisionError, match=r"pipelines\.publish"):
        hub.fetch(REPO, "v1", tmp_path / "cache")


def test_a_finished_copy_is_not_made_again(hub: LocalHub, first: Path, tmp_path: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    before = (hub.fetch(REPO, oid, tmp_path / "cache").path / "README.md").stat()
    after = (hub.fetch(REPO, "v1", tmp_path / "cache").path / "README.md").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_fetch_that_crashed_is_not_seen_and_can_be_repeated(
    hub: LocalHub, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    shelf = tmp_path / "cache" / REPO
    with monkeypatch.context() as patch:
        crash_at(patch, 1)
        with pytest.raises(CrashError):
            hub.fetch(REPO, "v1", tmp_path / "cache")
    assert set(os.listdir(shelf)) <= {".lock"}
    assert files_of(hub.fetch(REPO, "v1", tmp_path / "cache").path) == files_of(first)
    assert set(os.listdir(shelf)) <= {".lock", oid}


def test_a_copy_emptied_by_a_power_cut_is_fetched_again(
    hub: LocalHub, first: Path, tmp_path: Path
) -> None:
    copy = hub.fetch(REPO, hub.publish(REPO, 1, first, "v1"), tmp_path / "cache").path
    os.truncate(copy / "bundle" / "model.skops", 0)
    assert files_of(hub.fetch(REPO, "v1", tmp_path / "cache").path) == files_of(first)


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


def link_away(path: Path) -> None:
    path.rename(path.parents[3] / "elsewhere")
    path.symlink_to(path.parents[3] / "elsewhere")


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("bundle/model.skops", change),
        ("release.json", change),
        ("commit.json", change),
        ("README.md", Path.unlink),
        ("bundle/model.skops", link_away),
        ("bundle", link_away),
    ],
)
def test_a_damaged_commit_is_refused_and_leaves_nothing_in_the_cache(
    hub: LocalHub, first: Path, tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    harm(hub.root / REPO / "commits" / oid / name)
    with pytest.raises(HubError, match=oid):
        hub.fetch(REPO, "v1", tmp_path / "cache")
    assert set(os.listdir(tmp_path / "cache" / REPO)) <= {".lock"}


@pytest.mark.parametrize("name", ["../../../escaped", "/tmp/escaped"])
def test_a_commit_cannot_name_files_outside_itself(name: str) -> None:
    with pytest.raises(ValueError, match="leads out of the commit"):
        Commit(parent=None, message="", files={name: File(sha256=DIGEST, bytes=1)})


def test_an_unknown_revision_is_named_with_those_there_are(hub: LocalHub, first: Path) -> None:
    hub.publish(REPO, 1, first, "v1")
    for revision in ("v2", MAIN, "0" * 40, "../v1"):
        with pytest.raises(UnknownRevisionError, match=r"it has challenger, v1"):
            hub.release(REPO, revision)


# --- several processes at once

_barrier = None


def _start(barrier: object) -> None:
    global _barrier
    _barrier = barrier


def _together(action: str, root: str, number: int) -> str:
    """Wait for the other processes, then act on the hub in ``root``/hub."""
    hub, here = LocalHub(Path(root) / "hub"), Path(root)
    _barrier.wait(30)  # type: ignore[attr-defined]
    try:
        if action == "publish":
            return hub.publish(REPO, number, here / f"v{number}", "")
        if action == "point":
            return hub.point(REPO, MAIN, f"v{number}", None, promotion(f"v{number}"))
        return hub.fetch(REPO, MAIN, here / "cache").release.tag
    except ConflictError:
        return "conflict"


@pytest.fixture(scope="module")
def processes() -> Iterator[Callable[[str, Path], list[str]]]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, context, _start, (barrier,)) as pool:

        def act(action: str, root: Path) -> list[str]:
            numbers = range(1, PROCESSES + 1)
            waiting = [pool.submit(_together, action, str(root), number) for number in numbers]
            return [each.result(60) for each in waiting]

        yield act


def test_of_processes_that_act_at_once_each_publishes_one_promotes_and_all_fetch(
    tmp_path: Path, hub: LocalHub, processes: Callable[[str, Path], list[str]]
) -> None:
    for number in range(1, PROCESSES + 1):
        make_folder(tmp_path / f"v{number}", number)
    published = processes("publish", tmp_path)
    refs = hub.refs(REPO)
    assert refs.tags == {f"v{number}": oid for number, oid in enumerate(published, start=1)}
    assert commits_of(hub) == set(published)

    pointed = processes("point", tmp_path)
    (winner,) = set(pointed) - {"conflict"}
    assert pointed.count("conflict") == PROCESSES - 1
    assert hub.refs(REPO).branches[MAIN] == winner

    champion = hub.release(REPO, MAIN).tag
    assert processes("fetch", tmp_path) == [champion] * PROCESSES
    assert set(os.listdir(tmp_path / "cache" / REPO)) == {".lock", winner}


def _die_while_publishing(root: str, folder: str) -> None:
    os.replace = lambda *_: os._exit(9)  # type: ignore[assignment]
    LocalHub(Path(root)).publish(REPO, 1, Path(folder), "v1")


def test_a_process_killed_while_publishing_blocks_nobody_and_its_leftovers_go(
    hub: LocalHub, first: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_die_while_publishing, args=(str(hub.root), str(first)))
    process.start()
    process.join(30)
    assert process.exitcode == 9
    assert len(commits_of(hub)) == 1  # what it wrote aside
    oid = hub.publish(REPO, 1, first, "v1")
    assert commits_of(hub) == {oid}


# --- names and addresses


@pytest.mark.parametrize("repo", ["../x/y", "x/..", "x", "/x/y", "x/y/z", "", ".x/y"])
def test_a_repository_name_cannot_lead_out_of_the_hub(hub: LocalHub, repo: str) -> None:
    with pytest.raises(HubError, match="no repository name"):
        hub.refs(repo)


def test_a_relative_hub_is_in_the_project_even_from_a_queued_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert open_hub("file:hub").root == tmp_path / "hub"
    monkeypatch.setenv("DVC_ROOT", "/srv/project")
    assert open_hub("file:hub").root == Path("/srv/project/hub")
    assert open_hub("file:///srv/hub").root == Path("/srv/hub")
    assert open_hub("file:/srv/hub").root == Path("/srv/hub")


@pytest.mark.parametrize("address", ["hub", "", "file:", "file://host/hub", "https://hub.example"])
def test_an_address_of_another_kind_is_refused_with_what_works(address: str) -> None:
    with pytest.raises(HubError, match="file:hub"):
        open_hub(address)


def test_one_model_has_one_repository() -> None:
    assert repo_id("careerlens", "spam") == REPO
