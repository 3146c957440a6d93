"""Swap after swap under load, on either kind of hub: nothing fails, and every answer is right."""

import asyncio
import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle, load_bundle
from models.hub import LocalHub
from models.kinds import FORMATS
from models.manifest import KINDS, Kind
from tests.e2e.conftest import serving
from tests.e2e.crowd import CALLERS, Crowd
from tests.e2e.offline import Offline
from tests.e2e.releases import crown, describe_release, point
from tests.e2e.swaps import HUBS, ODD, SWAPS, starter_texts, swap_under_load
from tests.e2e.workshop import Workshop
from tests.factories import make_release

#: A slice of what ``python -m tests.e2e.swaps`` sends.
REQUESTS = 3_000


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The project with a first version of every model, the spam model a poor one."""
    return Workshop.train(tmp_path_factory.mktemp("trained") / "careerlens")


@pytest.mark.timeout(600)  # a minute on an idle machine
@pytest.mark.parametrize("hub", HUBS)
def test_champions_are_swapped_under_load_and_no_request_fails(
    trained: Workshop, tmp_path: Path, hub: str
) -> None:
    with HUBS[hub](tmp_path) as environment:
        report = swap_under_load(trained, environment, tmp_path / "run", REQUESTS)
    print(*report.lines(), sep="\n")
    assert report.failures == []
    assert report.faults == []
    assert report.requests >= REQUESTS
    assert min(report.answers[version] for version in ("v1", "v2")) > REQUESTS / 10
    # Each caller saw every swap, once: no worker missed one, or went back by itself.
    assert report.turns == [["v1", *(swap[1] for swap in SWAPS)]] * CALLERS
    assert min(report.connections) > 0


#: What makes a second version of a text model another one, and for how long they change about.
SECOND: dict[Kind, tuple[str, ...]] = {
    "spam": ("Claim your prize at the interview",),
    "toxicity": ("Is there an idiot in the team",),
}
SECONDS = 8.0


def test_two_kinds_that_change_several_times_a_second_are_never_mixed_up(tmp_path: Path) -> None:
    hub = LocalHub(tmp_path / "hub")
    versions = {kind: _publish(hub, kind, tmp_path / "releases") for kind in KINDS}
    texts = [*ODD, *starter_texts()]
    chosen = {"CAREERLENS_WORKERS": "2", "CAREERLENS_POLL_SECONDS": "0.2"}
    with serving(tmp_path / "server", CAREERLENS_HUB=str(hub), **chosen) as server:
        server.wait("/readyz")
        crowd = Crowd(f"http://127.0.0.1:{server.port}", texts, pause=0.0)
        asyncio.run(_ask_while_both_change(crowd, hub))
    offline = Offline(versions, texts)
    assert crowd.failures == []
    assert [fault for asked in crowd.asked if (fault := offline.fault(asked))] == []
    answers = (json.loads(asked.body) for asked in crowd.asked if asked.path == "/moderate")
    pairs = {(answer["spam"]["version"], answer["toxicity"]["version"]) for answer in answers}
    assert pairs == set(itertools.product(("v1", "v2"), repeat=2))


def _publish(hub: LocalHub, kind: Kind, folder: Path) -> dict[str, Bundle[Any]]:
    """Publish every version of a kind, make the last one champion, and return them, loaded."""
    bundles = {}
    for version, extra in enumerate(((), SECOND[kind]) if kind in SECOND else ((),), start=1):
        release = folder / f"{kind}-v{version}"
        make_release(release, kind, extra=extra)
        describe_release(release, version, kind)
        crown(hub, release, version, kind)
        bundles[f"v{version}"] = load_bundle(release / "bundle", FORMATS[kind])
    return bundles


async def _ask_while_both_change(crowd: Crowd, hub: LocalHub) -> None:
    asking = asyncio.create_task(crowd.ask())
    try:
        await crowd.until_all_see("v2", 60)
        until = time.monotonic() + SECONDS
        turns = itertools.cycle(itertools.product((1, 2), SECOND))
        while time.monotonic() < until:
            version, kind = next(turns)
            await asyncio.to_thread(point, hub, version, kind)
            await asyncio.sleep(0.2)
    finally:
        crowd.leave()
        await asking
