"""Back to an earlier champion: which one, through the checks of every load, and everywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import HubError
from models.hub import MAIN, LocalHub
from models.params import Params, load_params
from models.release import Promotion, version_tag
from pipelines import publish, register, track, tracking
from pipelines.champions import PROMOTION_LOG, crown, current_champion, hub_cache
from pipelines.rollback import RollbackError, previous_champion, rollback
from pipelines.sending import registered_version, send_version
from pipelines.tracking import open_store
from tests.pipelines.results import make_result, working_in

REPO = "careerlens/careerlens-spam"


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


@pytest.fixture
def params(tmp_path: Path) -> Iterator[Params]:
    """A project whose spam versions 1 and 2 were champions, one after the other."""
    root = tmp_path / "project"
    root.mkdir()
    with working_in(root):
        hub = LocalHub(root / "hub")
        for number, mcc in ((1, 0.7), (2, 0.9)):
            make_result(root, mcc=mcc)
            track.track(track.parse_args([]))
            packaged = tracking.read_packaged(Path("artifacts/spam/release"))
            params = load_params()
            with open_store() as store:
                register.register(store, "spam", packaged)
                if number == 1:
                    assert publish.publish(store, hub, "spam", params)
                else:
                    version = registered_version(store, "spam", 2)
                    sent = send_version(store, hub, REPO, "spam", version)
                    before = current_champion(store, hub, REPO, "spam")
                    crown(store, hub, REPO, "spam", sent.release, before, {"accepted": True})
        yield params


def roll(params: Params, to: int | None = None) -> str:
    with open_store() as store:
        return rollback(store, LocalHub(Path("hub").resolve()), "spam", params, to, "it was slow")


def test_a_rollback_moves_main_alias_and_log(params: Params) -> None:
    hub = LocalHub(Path("hub").resolve())
    assert roll(params) == "v1"
    assert hub.release(REPO, MAIN).tag == "v1"
    with open_store() as store:
        champion = current_champion(store, hub, REPO, "spam")
        assert champion is not None
        assert [each.to for each in champion.promotions] == ["v1", "v2", "v1"]
        assert champion.promotions[-1].decision == {"rollback": True, "reason": "it was slow"}
        assert tracking.alias(store, "spam", tracking.CHAMPION) == 1
        [run] = store.client.search_runs([store.experiment], f"tags.{PROMOTION_LOG} = 'spam'")
        copied = tracking.download(store, run.info.run_id, "promotions.jsonl", Path("copied"))
    assert copied.read_bytes() == (champion.path / "promotions.jsonl").read_bytes()
    with pytest.raises(RollbackError, match="before v1"):
        roll(params)


def test_only_what_once_was_champion_comes_back_unjudged(params: Params) -> None:
    assert roll(params, to=2) == "v2"
    with pytest.raises(RollbackError, match="v7 never was champion"):
        roll(params, to=7)


def test_a_damaged_version_is_not_gone_back_to(params: Params) -> None:
    hub = LocalHub(Path("hub").resolve())
    oid = hub.refs(REPO).tags[version_tag(1)]
    model = hub.root / REPO / "commits" / oid / "bundle" / "model.skops"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    copy = hub_cache() / REPO / oid / "bundle" / "model.skops"
    copy.write_bytes(b"x")
    with pytest.raises(HubError, match="damaged"):
        roll(params)
    assert hub.release(REPO, MAIN).tag == "v2"
