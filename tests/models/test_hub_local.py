import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from models.commits import Commit, File
from models.errors import ConflictError, HubError, OversizedError, UnknownRevisionError
from models.hub import MAIN, LocalHub
from models.release import MAX_BYTES, RELEASE_FILE, read_release
from tests.models.hub_case import DIGEST, REPO, change, files_of, link_away, make_folder, promotion

PROCESSES = 3


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


def test_a_commit_that_is_too_large_is_not_copied(
    hub: LocalHub, first: Path, tmp_path: Path
) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    os.truncate(hub.root / REPO / "commits" / oid / "README.md", MAX_BYTES + 1)
    with pytest.raises(OversizedError, match=r"README\.md has 1,048,577 bytes"):
        hub.fetch(REPO, oid, tmp_path / "cache")


# --- interrupted


def test_publishing_the_same_again_leaves_no_second_commit(hub: LocalHub, first: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    hub.publish(REPO, 1, first, "v1")
    assert commits_of(hub) == {oid}


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
    assert set(os.listdir(shelf)) <= {".lock", ".names", oid}


# --- away and damaged


def test_a_fetched_commit_is_found_without_the_hub(
    hub: LocalHub, first: Path, tmp_path: Path
) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    there = hub.fetch(REPO, "v1", tmp_path / "cache")
    shutil.rmtree(hub.root)
    assert hub.fetch(REPO, oid, tmp_path / "cache") == there
    with pytest.raises(UnknownRevisionError, match=r"pipelines\.publish"):
        hub.fetch(REPO, "v1", tmp_path / "cache")


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
    assert set(os.listdir(tmp_path / "cache" / REPO)) == {".lock", ".names", winner}


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


def test_a_branch_named_like_a_version_does_not_stand_for_it(hub: LocalHub, first: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    refs = hub.refs(REPO)
    assert refs.model_copy(update={"branches": {"v1": "0" * 40}}).named("v1") == oid
    assert refs.model_copy(update={"tags": {MAIN: oid}, "branches": {MAIN: "0" * 40}}).named(
        MAIN
    ) == ("0" * 40)


def test_a_release_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / RELEASE_FILE).open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(HubError, match="describes no release"):
        read_release(tmp_path)
