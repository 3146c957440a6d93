"""A project whose registered versions may become champion, and a look at who it is."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.hub import Hub
from models.manifest import Kind
from models.params import load_params
from models.trust import Trust, read_trust
from pipelines import tracking
from pipelines.champions import PROMOTION_LOG, Champion, crown, current_champion, repo_of
from pipelines.sending import registered_version, send_version
from pipelines.tracking import open_store
from tests.factories import ROOT
from tests.pipelines.contenders import register, release, write_data

REPO = "careerlens/careerlens-spam"

NO_KEYS = Trust(required=False, keys=())

#: What the gate does not measure itself, and what it is not asked for.
METRICS = {
    "corpus": "starter",
    "headline": {"scores_told_apart": 0.9, "mcc": 0.62, "auc": 0.93},
}


@dataclass(frozen=True)
class Mirror:
    """What MLflow says of the champion of one model.

    Attributes
    ----------
    log : str
        The copy of the hub's log of promotions; empty if there is none.
    state : str
        Of the run that has it.
    commits : dict of int to str or None
        Where on the hub each version is said to be.
    """

    alias: int | None
    log: str
    state: str
    commits: dict[int, str | None]


def make_contest(root: Path, contestants: Mapping[Kind, Sequence[Any]]) -> None:
    """Make the working directory ``root`` a project with versions 1, 2, … of each kind.

    It has the project's own rules, but for how fast a busy machine is, how often the bootstrap
    draws, and that toxicity may do without any gain, since nothing else shall hide a worse slice.
    """
    write_data(root / "data", ("spam", "toxicity"))
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    for found, instead in (
        (r"bootstrap: \d+", "bootstrap: 100"),
        (r"latency_ratio: [\d.]+", "latency_ratio: 10.0"),
        (r"(toxicity: .min_gain): [\d.]+", r"\1: 0.0"),
    ):
        text, times = re.subn(found, instead, text)
        assert times
    (root / "params.yaml").write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for kind, models in contestants.items():
            for number, model in enumerate(models, start=1):
                place = Path(folder) / kind / str(number)
                register(kind, place, release(place, kind, model, metrics=METRICS))


def make_champion(hub: Hub, kind: Kind, number: int) -> Champion:
    """Make a version champion, as if the gate had let it."""
    repo, trust = repo_of(load_params(), kind), read_trust(os.environ)
    with open_store() as store:
        before = current_champion(store, hub, repo, kind)
        sent = send_version(store, hub, repo, kind, registered_version(store, kind, number), trust)
        return crown(store, hub, repo, kind, sent.fetched, before, {"accepted": True})


def mirror(root: Path) -> Mirror:
    """Return what the store of the project at ``root`` says of spam."""
    with open_store(root) as store, tempfile.TemporaryDirectory() as folder:
        runs = store.client.search_runs([store.experiment], f"tags.{PROMOTION_LOG} = 'spam'")
        assert len(runs) <= 1
        log, state = "", ""
        for run in runs:
            copied = tracking.download(store, run.info.run_id, "promotions.jsonl", Path(folder))
            log, state = copied.read_text(encoding="utf-8"), run.info.status
        return Mirror(
            alias=tracking.alias(store, "spam", tracking.CHAMPION),
            log=log,
            state=state,
            commits={
                number: version.tags.get("hub_commit")
                for number, version in tracking.versions(store, "spam").items()
            },
        )
