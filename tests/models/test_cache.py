"""Which copies of a hub's commits stay, and which go."""

import os
from pathlib import Path

import pytest

from models.cache import ANSWERED, judge, last_fetched, passed, prune, remember, shelf_of
from models.commits import writing
from models.hub import CHALLENGER, MAIN, Hub
from tests.models.hub_case import REPO, make_folder


def test_what_was_fetched_last_is_found_without_asking(
    hub: Hub, first: Path, second: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    hub.publish(REPO, 1, first, "v1")
    assert last_fetched(cache, REPO, CHALLENGER) is None
    one = hub.fetch(REPO, CHALLENGER, cache)
    hub.publish(REPO, 2, second, "v2")
    assert last_fetched(cache, REPO, CHALLENGER) == one
    two = hub.fetch(REPO, CHALLENGER, cache)
    assert last_fetched(cache, REPO, CHALLENGER) == two
    assert last_fetched(cache, REPO, one.commit) == one
    for never in ("v2", MAIN, "0" * 40, "../challenger", ""):
        assert last_fetched(cache, REPO, never) is None


@pytest.fixture
def copies(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """Fetch v1 to v5 in turn; return their commits."""
    commits = {}
    for version in range(1, 6):
        hub.publish(REPO, version, make_folder(tmp_path / f"v{version}", version), "")
        fetched = hub.fetch(REPO, f"v{version}", tmp_path / "cache")
        commits[f"v{version}"] = fetched.commit
        os.utime(fetched.path, (version, version))
    return commits


def test_copies_that_were_not_used_for_long_are_removed(
    hub: Hub, copies: dict[str, str], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    hub.fetch(REPO, "v2", cache)  # used again
    keep = ["v1", MAIN, "never fetched"]
    assert prune(cache, REPO, keep, most=2) == [copies["v4"], copies["v3"]]
    left = {name for name in os.listdir(cache / REPO) if not name.startswith(".")}
    assert left == {copies["v1"], copies["v2"], copies["v5"]}
    assert prune(cache, REPO, keep, most=2) == []
    assert hub.fetch(REPO, "v3", cache).release.tag == "v3"


def test_a_copy_in_use_is_kept_by_its_commit(copies: dict[str, str], tmp_path: Path) -> None:
    removed = prune(tmp_path / "cache", REPO, [copies["v1"]], most=1)
    assert set(removed) == {copies["v2"], copies["v3"], copies["v4"]}


def test_a_cache_without_copies_has_nothing_to_remove(tmp_path: Path) -> None:
    assert prune(tmp_path / "cache", REPO, []) == []


def test_refused_copies_go_soon_and_what_passed_or_answered_stays(
    copies: dict[str, str], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    shelf = shelf_of(cache, REPO)
    for version, commit in copies.items():
        judge(shelf, commit, "passed" if version == "v3" else "refused")
    judge(shelf, copies["v3"], "refused")  # it passed once
    remember(shelf, ANSWERED, copies["v1"])
    (shelf / copies["v5"]).touch()  # somebody reads it now
    assert [copy.commit for copy in passed(cache, REPO)] == [copies["v3"]]
    assert set(prune(cache, REPO)) == {copies["v2"], copies["v4"]}
    left = {name for name in os.listdir(shelf) if not name.startswith(".")}
    assert left == {copies["v1"], copies["v3"], copies["v5"]}
    assert set(os.listdir(shelf / ".verdicts")) == left


def test_who_prunes_waits_for_nobody_who_fetches(copies: dict[str, str], tmp_path: Path) -> None:
    with writing(shelf_of(tmp_path / "cache", REPO)):
        assert prune(tmp_path / "cache", REPO, most=1) == []
    assert len(prune(tmp_path / "cache", REPO, most=1)) == len(copies) - 1
