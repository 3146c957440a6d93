"""What every hub promises, held against each of them."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import (
    ConflictError,
    HubError,
    OversizedError,
    UnknownRevisionError,
    VersionExistsError,
)
from models.hub import (
    CHALLENGER,
    MAIN,
    Hub,
    LocalHub,
    Refs,
    last_fetched,
    open_hub,
    repo_id,
)
from models.release import (
    MAX_BUNDLE_BYTES,
    MAX_BYTES,
    MAX_FILES,
    PROMOTIONS_FILE,
    read_promotions,
)
from tests.models.hub_case import (
    DIGEST,
    REPO,
    change,
    empty,
    files_of,
    link_away,
    make_folder,
    promotion,
)

# --- publish


@pytest.mark.parametrize("revision", ["v1", CHALLENGER, "the commit itself"])
def test_what_was_published_is_what_is_fetched(
    hub: Hub, first: Path, tmp_path: Path, revision: str
) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    fetched = hub.fetch(
        REPO, revision if revision in ("v1", CHALLENGER) else oid, tmp_path / "cache"
    )
    assert fetched.commit == oid
    assert files_of(fetched.path) == files_of(first)
    assert fetched.release.tag == "v1"
    assert fetched.release.digest == DIGEST


def test_publishing_the_same_again_changes_nothing(hub: Hub, first: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    before = hub.refs(REPO)
    assert hub.publish(REPO, 1, first, "v1") == oid
    assert hub.refs(REPO) == before


def test_a_version_never_changes(hub: Hub, first: Path, tmp_path: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    other = make_folder(tmp_path / "other", 1, content="another model")
    with pytest.raises(VersionExistsError, match="v1 of careerlens/careerlens-spam"):
        hub.publish(REPO, 1, other, "v1")
    assert hub.refs(REPO) == Refs(branches={CHALLENGER: oid}, tags={"v1": oid})


def test_challenger_is_the_newest_and_older_tags_stay(
    hub: Hub, first: Path, second: Path, tmp_path: Path
) -> None:
    one = hub.publish(REPO, 1, first, "v1")
    two = hub.publish(REPO, 2, second, "v2")
    assert hub.refs(REPO) == Refs(branches={CHALLENGER: two}, tags={"v1": one, "v2": two})
    assert hub.publish(REPO, 1, first, "v1") == one
    assert hub.refs(REPO).branches[CHALLENGER] == two
    assert files_of(hub.fetch(REPO, "v1", tmp_path / "cache").path) == files_of(first)


def test_a_version_has_no_file_of_the_one_before(
    hub: Hub, first: Path, second: Path, tmp_path: Path
) -> None:
    (first / "model.sig").write_text("signature of v1")
    (first / "bundle" / "extra.npz").write_bytes(b"array of v1")
    hub.publish(REPO, 1, first, "v1")
    hub.point(REPO, MAIN, "v1", None, promotion("v1"))
    hub.publish(REPO, 2, second, "v2")
    assert files_of(hub.fetch(REPO, "v2", tmp_path / "cache").path) == files_of(second)
    hub.point(REPO, MAIN, "v2", hub.resolve(REPO, MAIN), promotion("v2", before="v1"))
    champion = files_of(hub.fetch(REPO, MAIN, tmp_path / "cache").path)
    assert champion.keys() == files_of(second).keys() | {PROMOTIONS_FILE}


@pytest.mark.parametrize("link", ["bundle/model.skops", "bundle"])
def test_a_folder_with_a_link_is_not_published(
    hub: Hub, first: Path, tmp_path: Path, link: str
) -> None:
    (first / link).rename(tmp_path / "elsewhere")
    (first / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HubError, match="not a plain file"):
        hub.publish(REPO, 1, first, "v1")
    with pytest.raises(UnknownRevisionError):
        hub.refs(REPO)


# --- point


def test_main_gets_the_content_of_the_version_and_the_log_of_promotions(
    hub: Hub, first: Path, second: Path, tmp_path: Path
) -> None:
    one = hub.publish(REPO, 1, first, "v1")
    main = hub.point(REPO, MAIN, "v1", None, promotion("v1"))
    assert main != one
    fetched = hub.fetch(REPO, MAIN, tmp_path / "cache")
    log = {PROMOTIONS_FILE: promotion("v1").line().encode()}
    assert files_of(fetched.path) == files_of(first) | log

    hub.publish(REPO, 2, second, "v2")
    hub.point(REPO, MAIN, "v2", main, promotion("v2", before="v1"))
    fetched = hub.fetch(REPO, MAIN, tmp_path / "cache")
    assert fetched.release.version == 2
    assert json.loads(promotion("v2", before="v1").line())["from"] == "v1"


def test_the_log_has_every_promotion_there_and_back(
    hub: Hub, first: Path, second: Path, tmp_path: Path
) -> None:
    hub.publish(REPO, 1, first, "v1")
    hub.publish(REPO, 2, second, "v2")
    assert read_promotions(hub.fetch(REPO, CHALLENGER, tmp_path / "cache").path) == []
    done = [promotion("v1"), promotion("v2", before="v1"), promotion("v1", before="v2")]
    main = None
    for each in done:
        main = hub.point(REPO, MAIN, each.to, main, each)
    assert read_promotions(hub.fetch(REPO, MAIN, tmp_path / "cache").path) == done
    assert hub.release(REPO, MAIN).tag == "v1"


def test_without_a_promotion_there_is_no_champion(hub: Hub, first: Path, tmp_path: Path) -> None:
    hub.publish(REPO, 1, first, "v1")
    assert MAIN not in hub.refs(REPO).branches
    for ask in (hub.resolve, hub.release):
        with pytest.raises(UnknownRevisionError, match="no revision 'main'"):
            ask(REPO, MAIN)
    with pytest.raises(UnknownRevisionError, match="no revision 'main'"):
        hub.fetch(REPO, MAIN, tmp_path / "cache")


@pytest.mark.parametrize("seen", [None, "f" * 40])
def test_a_branch_that_somebody_moved_is_not_moved_over(
    hub: Hub, first: Path, seen: str | None
) -> None:
    hub.publish(REPO, 1, first, "v1")
    main = hub.point(REPO, MAIN, "v1", None, promotion("v1"))
    with pytest.raises(ConflictError, match=main[:12]):
        hub.point(REPO, MAIN, "v1", seen, promotion("v1"))
    assert hub.refs(REPO).branches[MAIN] == main


def test_a_champion_that_is_not_there_yet_is_not_followed(hub: Hub, first: Path) -> None:
    hub.publish(REPO, 1, first, "v1")
    with pytest.raises(ConflictError, match="is at no commit"):
        hub.point(REPO, MAIN, "v1", "f" * 40, promotion("v1"))
    assert MAIN not in hub.refs(REPO).branches


def test_a_branch_of_any_name_can_be_pointed(hub: Hub, first: Path, tmp_path: Path) -> None:
    hub.publish(REPO, 1, first, "v1")
    hub.point(REPO, "canary", "v1", None, promotion("v1"))
    assert hub.fetch(REPO, "canary", tmp_path / "cache").release.tag == "v1"
    assert set(hub.refs(REPO).branches) == {CHALLENGER, "canary"}


# --- resolve, release, fetch


def test_a_revision_is_a_branch_a_tag_or_a_commit(hub: Hub, first: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    main = hub.point(REPO, MAIN, oid, None, promotion("v1"))
    assert hub.resolve(REPO, "v1") == hub.resolve(REPO, CHALLENGER) == oid
    assert hub.resolve(REPO, oid) == oid
    assert hub.resolve(REPO, MAIN) == main
    assert hub.release(REPO, main) == hub.release(REPO, "v1")


def test_an_unknown_revision_is_named_with_those_there_are(
    hub: Hub, first: Path, tmp_path: Path
) -> None:
    hub.publish(REPO, 1, first, "v1")
    for revision in ("v2", "0" * 40, "../v1"):
        with pytest.raises(UnknownRevisionError, match=r"it has challenger, v1"):
            hub.release(REPO, revision)
    with pytest.raises(UnknownRevisionError):
        hub.fetch(REPO, "0" * 40, tmp_path / "cache")
    assert set(os.listdir(tmp_path / "cache" / REPO)) <= {".lock", f".partial-{'0' * 40}"}


def test_an_unknown_repository_is_named_with_what_to_do(hub: Hub) -> None:
    with pytest.raises(UnknownRevisionError, match=r"careerlens-spam.*pipelines\.publish"):
        hub.refs(REPO)


def test_a_finished_copy_is_not_made_again(hub: Hub, first: Path, tmp_path: Path) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    before = (hub.fetch(REPO, oid, tmp_path / "cache").path / "README.md").stat()
    after = (hub.fetch(REPO, "v1", tmp_path / "cache").path / "README.md").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("bundle/model.skops", change),
        ("bundle/model.skops", empty),
        ("release.json", change),
        ("commit.json", change),
        ("commit.json", empty),
        ("commit.json", Path.unlink),
        ("README.md", Path.unlink),
        ("bundle/model.skops", link_away),
        ("bundle", link_away),
    ],
)
def test_a_damaged_copy_is_made_anew(
    hub: Hub, first: Path, tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    copy = hub.fetch(REPO, hub.publish(REPO, 1, first, "v1"), tmp_path / "cache").path
    harm(copy / name)
    assert last_fetched(tmp_path / "cache", REPO, "v1") is None
    fetched = hub.fetch(REPO, "v1", tmp_path / "cache")
    assert fetched.path == copy
    assert files_of(copy) == files_of(first)
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    assert set(os.listdir(tmp_path / "cache" / REPO)) == {".lock", ".names", fetched.commit}


def test_a_file_that_is_none_of_the_commit_is_not_left_in_its_copy(
    hub: Hub, first: Path, tmp_path: Path
) -> None:
    copy = hub.fetch(REPO, hub.publish(REPO, 1, first, "v1"), tmp_path / "cache").path
    (copy / "bundle" / "stray.skops").write_text("who put this here?")
    assert files_of(hub.fetch(REPO, "v1", tmp_path / "cache").path) == files_of(first)


def test_a_cache_that_cannot_be_written_is_read(
    hub: Hub, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oid = hub.publish(REPO, 1, first, "v1")
    there = hub.fetch(REPO, oid, tmp_path / "cache")

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    assert hub.fetch(REPO, "v1", tmp_path / "cache") == there


def test_a_small_file_is_read_alone(hub: Hub, first: Path) -> None:
    hub.publish(REPO, 1, first, "v1")
    wanted = (first / "README.md").read_bytes()
    assert hub.read(REPO, "v1", "README.md") == wanted
    assert hub.read(REPO, CHALLENGER, PROMOTIONS_FILE) is None
    with pytest.raises(UnknownRevisionError):
        hub.read(REPO, "v9", "README.md")


def test_a_model_is_no_small_file(hub: Hub, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "v1", 1)
    os.truncate(folder / "bundle" / "model.skops", MAX_BYTES + 1)
    hub.publish(REPO, 1, folder, "v1")
    with pytest.raises(OversizedError, match=r"model\.skops has"):
        hub.read(REPO, "v1", "bundle/model.skops")


# --- too large


BIG = {"README.md": MAX_BYTES + 1, "bundle/model.skops": MAX_BUNDLE_BYTES + 1}


@pytest.mark.parametrize("name", BIG)
def test_a_release_that_is_too_large_is_not_published(hub: Hub, tmp_path: Path, name: str) -> None:
    folder = make_folder(tmp_path / "v1", 1)
    os.truncate(folder / name, BIG[name])  # it has holes in place of the bytes
    with pytest.raises(OversizedError, match=f"{name.partition('/')[0]}.* has .* bytes"):
        hub.publish(REPO, 1, folder, "v1")


def test_a_release_of_too_many_files_is_not_published(hub: Hub, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "v1", 1)
    for number in range(MAX_FILES):
        (folder / "bundle" / str(number)).touch()
    with pytest.raises(OversizedError, match="files, a release at most"):
        hub.publish(REPO, 1, folder, "v1")


# --- names and addresses


@pytest.mark.parametrize("repo", ["../x/y", "x/..", "x", "/x/y", "x/y/z", "", ".x/y"])
def test_a_repository_name_cannot_lead_out_of_the_hub(
    hub: Hub, repo: str, first: Path, tmp_path: Path
) -> None:
    with pytest.raises(HubError, match="no repository name"):
        hub.refs(repo)
    with pytest.raises(HubError, match="no repository name"):
        hub.publish(repo, 1, first, "v1")
    with pytest.raises(HubError, match="no repository name"):
        hub.fetch(repo, MAIN, tmp_path / "cache")


def test_a_relative_hub_is_in_the_project_even_from_a_queued_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def root(address: str) -> Path:
        hub = open_hub(address)
        assert isinstance(hub, LocalHub)
        return hub.root

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert root("file:hub") == tmp_path / "hub"
    monkeypatch.setenv("DVC_ROOT", "/srv/project")
    assert root("file:hub") == Path("/srv/project/hub")
    assert root("file:///srv/hub") == Path("/srv/hub")
    assert root("file:/srv/hub") == Path("/srv/hub")


@pytest.mark.parametrize(
    "address",
    [
        "hub", "", "file:", "file://host/hub", "https://hub.example",
        "hf", "hf:careerlens", "hf:?visibility=hidden",
    ],
)  # fmt: skip
def test_an_address_of_another_kind_is_refused_with_what_works(address: str) -> None:
    with pytest.raises(HubError, match=r"file:hub.*hf:\?visibility=public"):
        open_hub(address)


def test_one_model_has_one_repository() -> None:
    assert repo_id("careerlens", "spam") == REPO
