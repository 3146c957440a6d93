"""Back to an earlier champion: which one, through the checks of every load, and everywhere."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.cache import COPIES
from models.errors import HubError
from models.hub import MAIN, LocalHub
from models.params import load_params
from models.release import Promotion, version_tag
from models.revisions import is_oid
from pipelines import tracking
from pipelines.champions import current_champion, hub_cache
from pipelines.rollback import RollbackError, previous_champion, rollback
from pipelines.tracking import open_store
from tests.factories import tiny_pipeline
from tests.pipelines.contest import NO_KEYS, REPO, make_champion, make_contest, mirror
from tests.pipelines.results import working_in


def promotion(to: str, *, back: bool = False) -> Promotion:
    return Promotion(
        who="ann", when="", before=None, to=to, digest="0" * 64, decision={"rollback": back}
    )


@pytest.mark.parametrize(
    ("moves", "previous"),
    [
        ("", None),
        ("1", None),
        ("1 2", "v1"),
        ("1 2 3", "v2"),
        ("1 2 3 <2", "v1"),
        ("1 2 3 <2 <1", None),
        ("1 2 3 <1", None),
        ("1 2 <1 3", "v1"),
        ("1 2 1", "v2"),
    ],
)
def test_rollbacks_in_a_row_go_back_step_by_step(moves: str, previous: str | None) -> None:
    log = [
        promotion(f"v{move.removeprefix('<')}", back=move.startswith("<")) for move in moves.split()
    ]
    assert previous_champion(log) == previous


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with two versions of spam."""
    root = tmp_path_factory.mktemp("project")
    with working_in(root):
        make_contest(root, {"spam": [tiny_pipeline("spam"), tiny_pipeline("spam", ("Good day",))]})
        yield root


@pytest.fixture
def hub(project: Path, tmp_path: Path) -> LocalHub:
    """A hub on which they were champions, one after the other."""
    assert Path.cwd() == project
    hub = LocalHub(tmp_path / "hub")
    for number in (1, 2):
        make_champion(hub, "spam", number)
    return hub


def roll(hub: LocalHub, to: int | None = None) -> str:
    with open_store() as store:
        return rollback(store, hub, "spam", load_params(), NO_KEYS, to, "it was slow")


def test_a_rollback_moves_main_alias_and_log(hub: LocalHub) -> None:
    assert roll(hub) == "v1"
    assert hub.release(REPO, MAIN).tag == "v1"
    with open_store() as store:
        champion = current_champion(store, hub, REPO, "spam")
        assert champion is not None
        assert [each.to for each in champion.promotions] == ["v1", "v2", "v1"]
        assert champion.promotions[-1].decision == {"rollback": True, "reason": "it was slow"}
        assert tracking.alias(store, "spam", tracking.CHAMPION) == 1
    log = (champion.path / "promotions.jsonl").read_text(encoding="utf-8")
    assert mirror(Path.cwd()).log == log
    with pytest.raises(RollbackError, match="before v1"):
        roll(hub)


def test_who_learns_that_somebody_went_back_already_goes_no_further(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a rollback that was interrupted once main had moved."""
    hub.point(REPO, MAIN, "v1", hub.refs(REPO).branches[MAIN], promotion("v1", back=True))
    main = hub.refs(REPO).branches[MAIN]
    assert roll(hub) == "v1"
    assert "back at v1 since" in capsys.readouterr().out
    assert hub.refs(REPO).branches[MAIN] == main
    with pytest.raises(RollbackError, match="before v1"):
        roll(hub)


def test_only_what_once_was_champion_comes_back_unjudged(hub: LocalHub) -> None:
    assert roll(hub, to=2) == "v2"
    with pytest.raises(RollbackError, match="v7 never was champion"):
        roll(hub, to=7)


def test_copies_of_versions_that_nobody_needs_leave_the_cache(hub: LocalHub) -> None:
    for _ in range(3):
        roll(hub, to=1)
        roll(hub, to=2)
    copies = [path for path in (hub_cache() / REPO).iterdir() if is_oid(path.name)]
    assert len(copies) == COPIES


def test_a_damaged_version_is_not_gone_back_to(hub: LocalHub) -> None:
    oid = hub.refs(REPO).tags[version_tag(1)]
    model = hub.root / REPO / "commits" / oid / "bundle" / "model.skops"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    with pytest.raises(HubError, match="damaged"):
        roll(hub)
    assert hub.release(REPO, MAIN).tag == "v2"


def move_tag(hub: LocalHub, name: str, to: str) -> None:
    """Let a tag name the commit of another one, as no command of ours does."""
    refs = hub.root / REPO / "refs.json"
    content = json.loads(refs.read_text(encoding="utf-8"))
    content["tags"][name] = content["tags"][to]
    refs.write_text(json.dumps(content), encoding="utf-8")


class Meddled(LocalHub):
    """A hub on which the tag v1 is moved once v1 was looked at."""

    def point(
        self, repo: str, branch: str, revision: str, parent: str | None, promotion: Promotion
    ) -> str:
        move_tag(self, "v1", "v2")
        return super().point(repo, branch, revision, parent, promotion)


def test_what_was_checked_comes_back_whatever_its_tag_becomes_meanwhile(hub: LocalHub) -> None:
    assert roll(Meddled(hub.root)) == "v1"
    assert hub.release(REPO, MAIN).tag == "v1"


def test_a_tag_that_was_moved_is_not_gone_back_to(hub: LocalHub) -> None:
    move_tag(hub, "v1", "v2")
    with pytest.raises(RollbackError, match=r"v1 on .* is v2 .* somebody changed it"):
        roll(hub)
    assert hub.release(REPO, MAIN).tag == "v2"
