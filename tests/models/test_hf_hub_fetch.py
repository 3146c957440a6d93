"""Fetching from the Hugging Face Hub: whole or not at all, once, and without it where possible."""

import multiprocessing
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from models.errors import (
    HubAccessError,
    HubError,
    HubUnavailableError,
    OversizedError,
    UnknownRevisionError,
)
from models.hf_hub import HuggingFaceHub
from models.hub import MAIN, last_fetched
from models.release import MAX_BYTES
from tests.hub_server import HubServer
from tests.hub_store import Blob
from tests.models.hub_case import REPO, files_of, make_folder, promotion

FOR_EVER = 10**9
LARGE = "GET /[0-9a-f]{64}$"
LARGE_BYTES = 12 * 1024 * 1024  # the client writes what it gets in pieces of 10 MiB


@pytest.fixture
def hub(server: HubServer) -> HuggingFaceHub:
    return HuggingFaceHub(server.endpoint)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "first", 1)


@pytest.fixture
def published(hub: HuggingFaceHub, first: Path) -> HuggingFaceHub:
    """The hub with v1."""
    hub.publish(REPO, 1, first, "v1")
    return hub


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_copy_is_plain_files_without_the_hubs_own(
    published: HuggingFaceHub, first: Path, cache: Path
) -> None:
    copy = published.fetch(REPO, "v1", cache).path
    assert files_of(copy) == files_of(first)
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    assert not (copy / ".cache").exists()


def test_a_long_list_of_files_is_read_to_its_end(
    server: HubServer, published: HuggingFaceHub, first: Path, cache: Path
) -> None:
    server.page = 1
    assert files_of(published.fetch(REPO, "v1", cache).path) == files_of(first)


def test_a_public_repository_needs_no_token(
    server: HubServer,
    published: HuggingFaceHub,
    first: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubAccessError):
        published.fetch(REPO, "v1", cache)
    server.store.repos[REPO].private = False
    assert files_of(published.fetch(REPO, "v1", cache).path) == files_of(first)


def test_the_token_is_sent_to_the_hub_and_nowhere_else(
    server: HubServer, published: HuggingFaceHub, cache: Path
) -> None:
    published.fetch(REPO, "v1", cache)
    large = [call for call in server.calls if re.search("/[0-9a-f]{64}$", call.what)]
    assert {call.what.split()[0] for call in large} == {"PUT", "GET"}
    assert all("authorization" not in call.headers for call in large)


@pytest.mark.parametrize("path", ["../../escaped", "bundle/../../escaped", "/escaped"])
def test_a_file_that_leads_out_of_the_copy_is_refused(
    server: HubServer, published: HuggingFaceHub, cache: Path, path: str
) -> None:
    there = server.store.repos[REPO]
    files = {**there.at("v1").files, path: Blob(b"harm", large=False)}
    evil = there.add_commit(MAIN, "evil", "", files)
    with pytest.raises(HubError, match="leads out of the commit"):
        published.fetch(REPO, evil.oid, cache)
    assert not list(cache.rglob("escaped"))


@pytest.mark.parametrize("large", [True, False])
def test_what_the_hubs_own_list_calls_too_large_is_not_fetched_at_all(
    server: HubServer, published: HuggingFaceHub, cache: Path, large: bool
) -> None:
    there = server.store.repos[REPO]
    more = {"notes.bin": Blob(b"\0" * (MAX_BYTES + 1), large=large)}
    heavy = there.add_commit(MAIN, "heavy", "", {**there.at("v1").files, **more})
    if large:
        blob = more["notes.bin"]
        server.store.objects[blob.sha256] = blob.content
    server.calls.clear()
    with pytest.raises(OversizedError, match=r"notes\.bin has 1,048,577 bytes"):
        published.fetch(REPO, heavy.oid, cache)
    assert not server.asked("/resolve/|" + LARGE)
    with pytest.raises(OversizedError, match=r"notes\.bin has 1,048,577 bytes"):
        published.point(REPO, "elsewhere", heavy.oid, None, promotion("v1"))


def test_a_description_that_is_too_large_is_not_read(
    server: HubServer, published: HuggingFaceHub
) -> None:
    there = server.store.repos[REPO]
    more = {"release.json": Blob(b" " * (MAX_BYTES + 1), large=True)}
    heavy = there.add_commit(MAIN, "heavy", "", {**there.at("v1").files, **more})
    server.calls.clear()
    with pytest.raises(OversizedError, match=r"release\.json has 1,048,577 bytes"):
        published.release(REPO, heavy.oid)
    assert not server.asked("/resolve/")


# --- the Hub is away


def test_a_fetched_commit_is_found_without_the_hub(
    server: HubServer, published: HuggingFaceHub, cache: Path
) -> None:
    there = published.fetch(REPO, "v1", cache)
    server.calls.clear()
    assert published.fetch(REPO, there.commit, cache) == there
    assert server.calls == []
    server.stop()
    assert published.fetch(REPO, there.commit, cache) == there
    assert last_fetched(cache, REPO, "v1") == there


@pytest.mark.parametrize("revision", ["v1", "challenger", "f" * 40])
def test_a_hub_that_is_away_is_not_a_revision_that_is_unknown(
    server: HubServer, published: HuggingFaceHub, cache: Path, revision: str
) -> None:
    published.fetch(REPO, "v1", cache)
    server.stop()
    with pytest.raises(HubUnavailableError, match=r"out of reach.*HF_ENDPOINT") as caught:
        published.fetch(REPO, revision, cache)
    assert not isinstance(caught.value, UnknownRevisionError)


def test_offline_mode_asks_nobody(
    server: HubServer,
    published: HuggingFaceHub,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = published.fetch(REPO, "v1", cache)
    server.calls.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubUnavailableError, match="HF_HUB_OFFLINE"):
        published.fetch(REPO, "v1", cache)
    assert published.fetch(REPO, there.commit, cache) == there
    assert server.calls == []


# --- broken transfers


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let huggingface_hub's pauses, of a second each, take no time."""
    taken: list[float] = []
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", taken.append)
    return taken


@pytest.mark.usefixtures("pauses")
def test_a_large_transfer_that_is_cut_goes_on_where_it_was(
    server: HubServer, hub: HuggingFaceHub, first: Path, cache: Path
) -> None:
    (first / "bundle" / "index.npz").write_bytes(os.urandom(LARGE_BYTES))
    hub.publish(REPO, 1, first, "v1")
    server.fail(LARGE, skip=1, cut=LARGE_BYTES - 5)
    server.fail(LARGE, cut=LARGE_BYTES - 5)
    assert files_of(hub.fetch(REPO, "v1", cache).path) == files_of(first)
    ranges = [call.headers.get("range") for call in server.calls if re.search(LARGE, call.what)]
    assert f"bytes={10 * 1024 * 1024}-" in ranges


@pytest.mark.usefixtures("pauses")
def test_a_transfer_that_breaks_off_for_good_is_told_and_goes_on_next_time(
    server: HubServer, published: HuggingFaceHub, first: Path, cache: Path
) -> None:
    server.fail(LARGE, times=FOR_EVER, cut=3)
    with pytest.raises(HubUnavailableError, match=r"careerlens-spam.*try again"):
        published.fetch(REPO, "v1", cache)
    assert last_fetched(cache, REPO, "v1") is None
    server.recover()
    assert files_of(published.fetch(REPO, "v1", cache).path) == files_of(first)
    assert len(server.asked(r"GET .*/README\.md$")) == 1  # it had arrived before, and was kept


@pytest.mark.parametrize("file", [LARGE, r"GET .*/README\.md$"])
def test_a_file_that_arrives_with_other_bytes_is_asked_for_again(
    server: HubServer, published: HuggingFaceHub, first: Path, cache: Path, file: str
) -> None:
    server.fail(file, garbled=True)
    assert files_of(published.fetch(REPO, "v1", cache).path) == files_of(first)
    assert len(server.asked(file)) == 2


@pytest.mark.parametrize("file", [LARGE, r"GET .*/README\.md$"])
def test_a_file_that_keeps_arriving_with_other_bytes_is_refused(
    server: HubServer, published: HuggingFaceHub, cache: Path, file: str
) -> None:
    server.fail(file, times=FOR_EVER, garbled=True)
    with pytest.raises(HubError, match="other bytes than the Hub announces"):
        published.fetch(REPO, "v1", cache)
    assert len(server.asked(file)) == 3
    assert last_fetched(cache, REPO, "v1") is None


def test_the_next_version_goes_ahead_when_one_could_not_be_fetched(
    server: HubServer, published: HuggingFaceHub, tmp_path: Path, cache: Path
) -> None:
    server.fail(LARGE, times=FOR_EVER, status=403)
    with pytest.raises(HubError):
        published.fetch(REPO, "v1", cache)
    server.recover()
    second = make_folder(tmp_path / "second", 2)
    oid = published.publish(REPO, 2, second, "v2")
    assert files_of(published.fetch(REPO, "v2", cache).path) == files_of(second)
    assert set(os.listdir(cache / REPO)) == {".lock", ".names", oid}


# --- once


def test_a_champion_that_is_rolled_back_to_is_not_sent_again(
    server: HubServer, published: HuggingFaceHub, tmp_path: Path, cache: Path
) -> None:
    published.publish(REPO, 2, make_folder(tmp_path / "second", 2), "v2")
    main = published.point(REPO, MAIN, "v1", None, promotion("v1"))
    published.fetch(REPO, MAIN, cache)
    main = published.point(REPO, MAIN, "v2", main, promotion("v2", before="v1"))
    published.fetch(REPO, MAIN, cache)
    assert len(server.asked(LARGE)) == 2
    published.point(REPO, MAIN, "v1", main, promotion("v1", before="v2"))
    assert published.fetch(REPO, MAIN, cache).release.tag == "v1"
    assert len(server.asked(LARGE)) == 2


def test_a_damaged_copy_lends_its_files_to_nobody(
    published: HuggingFaceHub, first: Path, cache: Path
) -> None:
    copy = published.fetch(REPO, "v1", cache).path
    (copy / "bundle" / "model.skops").write_bytes(b"damaged")
    published.point(REPO, MAIN, "v1", None, promotion("v1"))
    fetched = published.fetch(REPO, MAIN, cache)
    assert files_of(fetched.path / "bundle") == files_of(first / "bundle")


def test_watching_main_costs_one_call(
    server: HubServer, published: HuggingFaceHub, cache: Path
) -> None:
    main = published.point(REPO, MAIN, "v1", None, promotion("v1"))
    published.fetch(REPO, MAIN, cache)
    server.calls.clear()
    assert published.resolve(REPO, MAIN) == main
    assert server.asked("") == [f"GET /api/models/{REPO}/refs"]
    server.calls.clear()
    published.fetch(REPO, MAIN, cache)
    assert server.asked("") == [f"GET /api/models/{REPO}/refs"]


@pytest.mark.usefixtures("published")
def test_of_threads_that_fetch_at_once_one_does_it(
    server: HubServer, first: Path, cache: Path
) -> None:
    barrier = threading.Barrier(16)

    def fetch(_: int) -> dict[str, bytes]:
        barrier.wait(30)
        return files_of(HuggingFaceHub(server.endpoint).fetch(REPO, "v1", cache).path)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(fetch, range(16))) == [files_of(first)] * 16
    assert len(server.asked(LARGE)) == 1
    assert not list((cache / REPO).glob(".[sp]*"))


_barrier = None


def _start(barrier: object) -> None:
    global _barrier
    _barrier = barrier


def _fetch(cache: str) -> tuple[str, dict[str, bytes]]:
    from models.hub import open_hub

    hub = open_hub("hf:")
    _barrier.wait(60)  # type: ignore[attr-defined]
    fetched = hub.fetch(REPO, "v1", Path(cache))
    return fetched.commit, files_of(fetched.path)


@pytest.fixture
def processes(server: HubServer) -> Iterator[ProcessPoolExecutor]:
    assert server.calls == []  # it is there before them, and they inherit where it is
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, context, _start, (context.Barrier(3),)) as pool:
        yield pool


def test_of_processes_that_fetch_at_once_one_does_it(
    server: HubServer,
    processes: ProcessPoolExecutor,
    hub: HuggingFaceHub,
    first: Path,
    cache: Path,
) -> None:
    hub.publish(REPO, 1, first, "v1")
    fetched = list(processes.map(_fetch, [str(cache)] * 3))
    assert fetched == [(server.store.repos[REPO].tags["v1"], files_of(first))] * 3
    assert len(server.asked(LARGE)) == 1
