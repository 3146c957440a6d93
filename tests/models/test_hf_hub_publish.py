"""Publishing and promoting on the Hugging Face Hub: in one commit, once, whatever happens."""

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stamina

from models.errors import (
    ConflictError,
    HubAccessError,
    HubError,
    HubUnavailableError,
    LicenceError,
    UnknownRevisionError,
)
from models.hf_hub import HuggingFaceHub
from models.hub import CHALLENGER, MAIN
from models.release import read_promotions
from tests.hub_server import HubServer
from tests.hub_store import Repository
from tests.models.hub_case import REPO, add_manifest, make_folder, promotion

FOR_EVER = 10**9
LARGE = "^(PUT|GET) /[0-9a-f]{64}$"


@pytest.fixture
def hub(server: HubServer) -> HuggingFaceHub:
    return HuggingFaceHub(server.endpoint)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "first", 1)


def on(server: HubServer) -> Repository:
    return server.store.repos[REPO]


def titles(server: HubServer, branch: str) -> list[str]:
    """Return the commits of a branch after the Hub's own first one, newest first."""
    *ours, initial = on(server).history(on(server).at(branch))
    assert initial.title == "initial commit"
    return [commit.title for commit in ours]


def contents(server: HubServer, revision: str) -> dict[str, bytes]:
    files = on(server).at(revision).files
    return {name: blob.content for name, blob in files.items() if name != ".gitattributes"}


def folder_contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


# --- publish


def test_a_version_is_one_commit_with_its_card_in_a_private_repository(
    server: HubServer, hub: HuggingFaceHub, first: Path
) -> None:
    oid = hub.publish(REPO, 1, first, "v1: bundle abc")
    assert on(server).private
    assert on(server).tags == {"v1": oid}
    assert on(server).branches[CHALLENGER] == oid
    assert titles(server, CHALLENGER) == ["v1: bundle abc"]
    assert contents(server, "v1") == folder_contents(first)
    assert "README.md" in contents(server, "v1")
    assert ".gitattributes" in on(server).at("v1").files
    assert titles(server, MAIN) == []


def test_a_repository_is_public_only_when_that_was_asked_for(
    server: HubServer, tmp_path: Path
) -> None:
    folder = add_manifest(make_folder(tmp_path / "open", 1), "CC BY 4.0")
    HuggingFaceHub(server.endpoint, private=False).publish(REPO, 1, folder, "v1")
    assert not on(server).private


def test_files_of_every_sort_are_published_without_a_warning(
    server: HubServer, hub: HuggingFaceHub, first: Path
) -> None:
    (first / "bundle" / "empty.txt").touch()
    (first / "bundle" / "table.parquet").write_bytes(b"PAR1")
    (first / "bundle" / "index.npz").write_bytes(bytes(range(256)) * 5000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hub.publish(REPO, 1, first, "v1")
    assert contents(server, "v1") == folder_contents(first)


@pytest.mark.parametrize("answers", ["refuses", "does it and loses the answer"])
def test_a_publish_that_crashed_at_any_step_is_repeated_to_the_same_end(
    server: HubServer, hub: HuggingFaceHub, first: Path, answers: str
) -> None:
    """Every call that writes fails in turn, and the process gives up there."""
    crashes = 0
    while True:
        server.store.repos.clear()
        server.store.objects.clear()
        server.fail("^(POST|PUT)", skip=crashes, times=1, status=0, acts=answers != "refuses")
        try:
            with stamina.set_testing(True, attempts=1):
                hub.publish(REPO, 1, first, "v1")
            break
        except HubUnavailableError:
            crashes += 1
        server.recover()
        oid = hub.publish(REPO, 1, first, "v1")
        assert titles(server, CHALLENGER) == ["v1"]
        assert on(server).tags == {"v1": oid}
        assert on(server).branches.keys() == {MAIN, CHALLENGER}
        assert contents(server, "v1") == folder_contents(first)
    assert crashes >= 9  # repository, branch, card, modes, batch, file, check, commit, tag


@pytest.mark.parametrize("call", ["/repos/create", "/branch/", "^PUT", "/commit/", "/tag/"])
def test_an_answer_that_gets_lost_does_not_make_a_second_one(
    server: HubServer, hub: HuggingFaceHub, first: Path, call: str
) -> None:
    server.fail(call, status=0, acts=True)
    oid = hub.publish(REPO, 1, first, "v1")
    assert titles(server, CHALLENGER) == ["v1"]
    assert on(server).tags == {"v1": oid}


def test_a_version_left_without_its_tag_gets_it_after_a_newer_one(
    server: HubServer, hub: HuggingFaceHub, first: Path, tmp_path: Path
) -> None:
    server.fail("/tag/", times=FOR_EVER, status=500)
    with pytest.raises(HubUnavailableError):
        hub.publish(REPO, 1, first, "v1")
    left = on(server).branches[CHALLENGER]
    server.recover()
    newer = hub.publish(REPO, 2, make_folder(tmp_path / "second", 2), "v2")
    assert hub.publish(REPO, 1, first, "v1") == left
    assert on(server).tags == {"v1": left, "v2": newer}
    assert titles(server, CHALLENGER) == ["v2", "v1"]


def test_publishers_of_several_versions_at_once_all_succeed(
    server: HubServer, tmp_path: Path
) -> None:
    folders = {number: make_folder(tmp_path / f"v{number}", number) for number in range(1, 5)}

    def publish(number: int) -> str:
        hub = HuggingFaceHub(server.endpoint)
        return hub.publish(REPO, number, folders[number], f"v{number}")

    with ThreadPoolExecutor(4) as pool:
        oids = dict(zip(folders, pool.map(publish, folders), strict=True))
    assert on(server).tags == {f"v{number}": oid for number, oid in oids.items()}
    assert sorted(titles(server, CHALLENGER)) == ["v1", "v2", "v3", "v4"]
    for number, folder in folders.items():
        assert contents(server, f"v{number}") == folder_contents(folder)


def test_publishers_of_the_same_version_at_once_make_one_commit(
    server: HubServer, first: Path
) -> None:
    def publish(_: int) -> str:
        return HuggingFaceHub(server.endpoint).publish(REPO, 1, first, "v1")

    with ThreadPoolExecutor(4) as pool:
        (oid,) = set(pool.map(publish, range(4)))
    assert on(server).tags == {"v1": oid}
    assert titles(server, CHALLENGER) == ["v1"]


def test_a_version_is_not_tagged_unless_it_is_there_as_it_was_sent(
    server: HubServer, hub: HuggingFaceHub, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = server.store.commit
    monkeypatch.setattr(
        server.store, "commit", lambda repo, user, rev, lines: commit(repo, user, rev, lines[:-1])
    )
    with pytest.raises(HubError, match="does not hold exactly what was published"):
        hub.publish(REPO, 1, first, "v1")
    assert on(server).tags == {}


def test_a_card_that_the_hub_refuses_is_told_before_anything_is_sent(
    server: HubServer, hub: HuggingFaceHub, first: Path
) -> None:
    (first / "README.md").write_text("---\nlanguage: [en\n---\n# card\n")
    with pytest.raises(HubError, match=r"README\.md"):
        hub.publish(REPO, 1, first, "v1")
    assert titles(server, CHALLENGER) == []
    assert not server.asked("^PUT")


# --- licences


@pytest.mark.parametrize("licence", ["research use (a shared task)", "unstated", "who knows"])
def test_what_may_not_be_passed_on_makes_no_public_repository(
    server: HubServer, first: Path, licence: str
) -> None:
    hub = HuggingFaceHub(server.endpoint, private=False)
    with pytest.raises(LicenceError, match=r"public.*letters.*exclude_licences"):
        hub.publish(REPO, 1, add_manifest(first, licence), "v1")
    assert REPO not in server.store.repos


def test_what_may_not_be_passed_on_is_not_added_to_a_repository_that_is_public(
    server: HubServer, hub: HuggingFaceHub, first: Path, tmp_path: Path
) -> None:
    hub.publish(REPO, 1, add_manifest(first, "research use"), "v1")
    on(server).private = False
    second = make_folder(tmp_path / "second", 2)
    with pytest.raises(LicenceError, match="says “research use”"):
        hub.publish(REPO, 2, add_manifest(second, "research use"), "v2")
    assert titles(server, CHALLENGER) == ["v1"]
    assert hub.publish(REPO, 1, first, "v1") == on(server).tags["v1"]  # it is there already
    hub.publish(REPO, 2, add_manifest(second, "MIT"), "v2")


def test_a_public_repository_takes_nothing_whose_licences_nobody_can_read(
    server: HubServer, first: Path
) -> None:
    hub = HuggingFaceHub(server.endpoint, private=False)
    with pytest.raises(LicenceError, match=r"manifest\.json"):
        hub.publish(REPO, 1, first, "v1")


# --- point


@pytest.fixture
def published(hub: HuggingFaceHub, first: Path, tmp_path: Path) -> HuggingFaceHub:
    """The hub with v1 and v2."""
    hub.publish(REPO, 1, first, "v1")
    hub.publish(REPO, 2, make_folder(tmp_path / "second", 2), "v2")
    return hub


def test_a_promotion_is_one_commit_that_sends_no_large_file(
    server: HubServer, published: HuggingFaceHub
) -> None:
    server.calls.clear()
    main = published.point(REPO, MAIN, "v1", None, promotion("v1"))
    assert titles(server, MAIN) == ["main: v1"]
    main = published.point(REPO, MAIN, "v2", main, promotion("v2", before="v1"))
    assert titles(server, MAIN) == ["main: v2", "main: v1"]
    assert on(server).at(main).parent == on(server).at(MAIN).parent
    assert server.asked(LARGE) == []
    log = promotion("v1").line() + promotion("v2", before="v1").line()
    assert contents(server, MAIN) == contents(server, "v2") | {"promotions.jsonl": log.encode()}


@pytest.mark.parametrize("answers", ["refuses", "does it and loses the answer"])
def test_a_promotion_that_crashed_at_any_step_happened_or_did_not(
    server: HubServer, published: HuggingFaceHub, answers: str
) -> None:
    acts = answers != "refuses"
    crashes = 0
    empty = on(server).branches[MAIN]
    while True:
        on(server).branches[MAIN] = empty
        server.fail("^(POST|PUT|HEAD)", skip=crashes, status=0, acts=acts)
        try:
            with stamina.set_testing(True, attempts=1):
                published.point(REPO, MAIN, "v1", None, promotion("v1"))
            break
        except HubUnavailableError as error:
            crashes += 1
            committed = acts and "at main" in str(error) and on(server).branches[MAIN] != empty
        server.recover()
        there = published.refs(REPO).branches.get(MAIN)
        assert (there is not None) == committed
        if there is None:
            published.point(REPO, MAIN, "v1", None, promotion("v1"))
        assert contents(server, MAIN)["promotions.jsonl"] == promotion("v1").line().encode()
        assert titles(server, MAIN) == ["main: v1"]
    assert crashes >= 5


def test_a_promotion_whose_answer_gets_lost_is_made_once(
    server: HubServer, published: HuggingFaceHub
) -> None:
    server.fail("/commit/main", status=502, acts=True)
    main = published.point(REPO, MAIN, "v1", None, promotion("v1"))
    assert on(server).branches[MAIN] == main
    assert titles(server, MAIN) == ["main: v1"]


@pytest.mark.usefixtures("published")
def test_of_promotions_at_once_one_wins_and_the_others_are_told(server: HubServer) -> None:
    def promote(number: int) -> str:
        hub = HuggingFaceHub(server.endpoint)
        try:
            return hub.point(REPO, MAIN, f"v{number % 2 + 1}", None, promotion(f"v{number}"))
        except ConflictError:
            return "conflict"

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(promote, range(4)))
    (winner,) = set(results) - {"conflict"}
    assert results.count("conflict") == 3
    assert on(server).branches[MAIN] == winner
    assert len(titles(server, MAIN)) == 1


def test_main_moved_while_a_promotion_is_on_its_way_is_not_moved_over(
    server: HubServer, published: HuggingFaceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = server.store.commit

    def overtaken(repo: str, *rest: object) -> object:
        on(server).add_commit(MAIN, "somebody else's", "", on(server).at("v2").files)
        return commit(repo, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(server.store, "commit", overtaken)
    with pytest.raises(ConflictError, match="412"):
        published.point(REPO, MAIN, "v1", None, promotion("v1"))
    assert titles(server, MAIN) == ["somebody else's"]


def test_a_small_file_that_arrives_damaged_is_not_promoted(
    server: HubServer, published: HuggingFaceHub
) -> None:
    server.fail(r"GET .*/release\.json", times=FOR_EVER, garbled=True)
    with pytest.raises(HubError, match=r"release\.json.*other bytes"):
        published.point(REPO, MAIN, "v1", None, promotion("v1"))
    assert titles(server, MAIN) == []


# --- who may


def test_a_token_that_may_only_read_publishes_and_promotes_nothing(
    server: HubServer,
    published: HuggingFaceHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_TOKEN", server.read_token)
    third = make_folder(tmp_path / "third", 3)
    acts: list[Callable[[], object]] = [
        lambda: published.publish(REPO, 3, third, "v3"),
        lambda: published.publish("careerlens/new", 3, third, "v3"),
        lambda: published.point(REPO, MAIN, "v1", None, promotion("v1")),
    ]
    for act in acts:
        with pytest.raises(HubAccessError, match=r"HF_TOKEN may not.*write"):
            act()
    assert published.release(REPO, "v1").version == 1


def test_a_private_repository_is_not_there_for_strangers(
    published: HuggingFaceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubAccessError, match=r"asks for a token.*set HF_TOKEN"):
        published.refs(REPO)


@pytest.mark.skipif(
    not (os.environ.get("HF_TOKEN") and os.environ.get("HF_TEST_NAMESPACE")),
    reason="asks the real Hub: needs HF_TOKEN and HF_TEST_NAMESPACE, whose it shall be",
)
def test_the_real_hub_keeps_the_same_promises(tmp_path: Path) -> None:
    """Publish, promote, roll back and fetch in a private repository, removed at the end."""
    from huggingface_hub import HfApi

    repo = f"{os.environ['HF_TEST_NAMESPACE']}/careerlens-test-{os.urandom(4).hex()}"
    hub = HuggingFaceHub()
    one, two = (make_folder(tmp_path / f"v{number}", number) for number in (1, 2))
    (two / "bundle" / "index.npz").write_bytes(os.urandom(300_000))
    try:
        with pytest.raises(UnknownRevisionError):
            hub.refs(repo)
        first = hub.publish(repo, 1, one, "v1")
        assert HfApi().model_info(repo).private
        assert MAIN not in hub.refs(repo).branches
        assert hub.publish(repo, 1, one, "v1") == first
        main = hub.point(repo, MAIN, "v1", None, promotion("v1"))
        hub.publish(repo, 2, two, "v2")
        with pytest.raises(ConflictError):
            hub.point(repo, MAIN, "v2", first, promotion("v2", before="v1"))
        main = hub.point(repo, MAIN, "v2", main, promotion("v2", before="v1"))
        fetched = hub.fetch(repo, MAIN, tmp_path / "cache")
        assert fetched.commit == main
        assert folder_contents(fetched.path / "bundle") == folder_contents(two / "bundle")
        main = hub.point(repo, MAIN, "v1", main, promotion("v1", before="v2"))
        assert hub.fetch(repo, MAIN, tmp_path / "cache").release.version == 1
        champion = hub.fetch(repo, main, tmp_path / "cache").path
        assert [each.to for each in read_promotions(champion)] == ["v1", "v2", "v1"]
        assert not (champion / "bundle" / "index.npz").exists()
    finally:
        HfApi().delete_repo(repo, missing_ok=True)
