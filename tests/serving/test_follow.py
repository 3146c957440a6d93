"""The champions are followed: what the hub says answers, from one request to the next."""

import asyncio
import gc
import itertools
import re
import threading
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models.commits import writing
from models.hub import CHALLENGER, MAIN, repo_id
from models.manifest import KINDS, Kind
from models.moderation import Moderator, ServedModel
from models.revisions import is_oid
from serving import follow
from serving.folder import FOLDER_VARIABLE
from serving.follow import Found, Waits
from serving.logs import open_log
from serving.moderation import Moderation
from serving.shadow import Shadow, ShadowMetrics
from tests.hub_server import HubServer
from tests.serving.caches import make_cache, make_lines, no_monitor
from tests.serving.champions import NAMESPACE, point, publish
from tests.serving.following import FOR_EVER, TEXT, Scene, Worker, wait_until


def test_another_champion_answers_and_the_one_before_is_kept(scene: Scene) -> None:
    worker = scene.worker()
    assert worker.version() == "v1"
    commit = scene.promote("spam", 2)
    worker.look()
    assert worker.version() == "v2"
    shown = worker.report()
    assert (shown["commit"], shown["previous"], shown["error"]) == (commit, "v1", None)
    assert not shown["stale"]
    assert worker.counted("careerlens_model_swaps_total", kind="spam") == 1
    assert worker.counted("careerlens_model_info", kind="spam", version="v2") == 1
    assert worker.counted("careerlens_model_info", kind="spam") == 1  # that of v1 is 0


def test_main_is_followed_without_being_told(scene: Scene) -> None:
    worker = scene.worker(poll_seconds=0.2)
    scene.promote("toxicity", 2)
    wait_until(lambda: worker.report("toxicity")["version"] == "v2")
    assert worker.version("toxicity") == "v2"


def test_main_is_followed_on_the_hugging_face_hub(remote: Scene, standin: HubServer) -> None:
    worker = remote.worker()
    remote.promote("spam", 2)
    worker.look()
    assert worker.version() == "v2"
    asked = len(standin.calls)
    worker.look()  # nothing new: one question for each kind
    assert len(standin.calls) - asked == len(KINDS)


def test_kinds_swap_each_on_its_own(scene: Scene) -> None:
    worker = scene.worker()
    before = worker.champions.current()
    scene.promote("toxicity", 2)
    worker.look()
    after = worker.champions.current()
    assert after.models["spam"] is before.models["spam"]
    assert (worker.version("spam"), worker.version("toxicity")) == ("v1", "v2")
    assert before.versions("toxicity")["toxicity"]["version"] == "v1"  # for who is at it still


def test_going_back_loads_nothing_anew(scene: Scene) -> None:
    worker = scene.worker()
    first = worker.champions.current().models["spam"].bundle
    scene.promote("spam", 2)
    worker.look()
    point(scene.hub, "spam", 1)
    worker.look()
    assert worker.version() == "v1"
    assert worker.report()["previous"] == "v2"
    assert worker.champions.current().models["spam"].bundle is first


def test_copies_of_long_ago_leave_the_cache(scene: Scene) -> None:
    worker = scene.worker()
    for version in (2, 3):
        scene.promote("spam", version)
        worker.look()
    for version in (2, 3, 2, 3):
        point(scene.hub, "spam", version)
        worker.look()
    shelf = scene.shelf("spam")
    assert len([path for path in shelf.iterdir() if is_oid(path.name)]) == 3
    assert worker.version() == "v3"


def test_candidates_of_long_ago_leave_the_cache_without_any_swap(scene: Scene) -> None:
    worker = scene.worker(shadow_share=0.5)
    for version in range(2, 8):
        publish(scene.hub, "spam", scene.packaged["spam", 2], version, scene.root / "scratch")
        worker.look()
    assert (worker.version(), worker.report()["challenger"]) == ("v1", "v7")
    copies = {path.name for path in scene.shelf("spam").iterdir() if is_oid(path.name)}
    assert len(copies) <= 4
    assert scene.hub.resolve(repo_id(NAMESPACE, "spam"), MAIN) in copies


def test_while_the_hub_is_away_at_the_start_the_cache_answers(
    remote: Scene, standin: HubServer
) -> None:
    remote.worker().champions.stop()
    remote.promote("spam", 2)
    standin.fail("", times=FOR_EVER, status=503)
    worker = remote.worker()
    assert worker.version() == "v1"
    assert worker.report()["stale"]
    assert "out of reach" in worker.report()["error"]
    standin.recover()
    worker.look()
    assert worker.version() == "v2"
    for kind in ("spam", "toxicity"):
        assert (worker.report(kind)["stale"], worker.report(kind)["error"]) == (False, None)


def test_a_hub_that_does_not_answer_holds_up_no_start(remote: Scene, standin: HubServer) -> None:
    remote.worker().champions.stop()
    remote.promote("spam", 2)
    answers = len(standin.calls)
    standin.fail("", times=FOR_EVER, delay=5.0)
    worker = remote.start()
    wait_until(lambda: worker.champions.current().text is not None)
    assert len(standin.calls) <= answers + 1
    assert (worker.version(), worker.report()["stale"], worker.report()["error"]) == (
        *("v1", True),
        None,
    )
    standin.recover()
    worker.look()
    worker.look()
    assert (worker.version(), worker.report()["stale"]) == ("v2", False)


def test_waiting_for_a_worker_that_fetches_is_no_refusal(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = scene.worker()
    monkeypatch.setattr("models.cache.writing", partial(writing, seconds=0.1))
    scene.promote("spam", 2)
    scene.promote("toxicity", 2)
    with writing(scene.shelf("spam")):
        worker.look()
        shown = worker.report()
        assert (worker.version(), shown["stale"], shown["refused"]) == ("v1", True, None)
        assert "is being written by another process" in shown["error"]
        assert worker.version("toxicity") == "v2"  # the hub is not to blame
    assert worker.counted("careerlens_model_refusals_total") == 0
    worker.look()
    assert (worker.version(), worker.report()["error"]) == ("v2", None)


def test_looks_that_the_hub_does_not_answer_are_counted_by_kind_and_reason(
    remote: Scene, standin: HubServer
) -> None:
    worker = remote.worker(toxicity_revision="v1")
    name = "careerlens_hub_failures_total"
    assert worker.counted(name, kind="spam") == 0
    assert worker.counted(name, kind="skills", reason="unknown_revision") >= 1
    answered = "careerlens_hub_answered_timestamp_seconds"
    before = worker.counted(answered, kind="spam")
    assert before > 0
    assert worker.counted(answered, kind="toxicity") == 0  # pinned: it is not asked for again
    standin.fail("", times=FOR_EVER, status=503)
    worker.look()
    worker.look()
    assert worker.counted(name, kind="spam", reason="hub_unavailable") == 2
    assert worker.counted(name, kind="toxicity") == 0
    assert worker.counted(answered, kind="spam") == before


def test_a_hub_that_goes_away_takes_nothing_with_it(remote: Scene, standin: HubServer) -> None:
    worker = remote.worker()
    standin.fail("", times=FOR_EVER, status=0)
    worker.look()
    for kind in ("spam", "toxicity"):
        assert worker.report(kind)["stale"]
        assert worker.version(kind) == "v1"
    assert worker.counted("careerlens_model_refusals_total") == 0
    standin.recover()
    worker.look()
    assert not worker.report()["stale"]


def test_a_local_hub_that_is_not_there_leaves_what_answered_last(scene: Scene) -> None:
    scene.worker().champions.stop()
    (scene.root / "hub").rename(scene.root / "unmounted")
    worker = scene.worker()
    assert worker.version() == "v1"
    assert worker.report()["stale"]
    (scene.root / "unmounted").rename(scene.root / "hub")
    worker.look()
    assert (worker.report()["stale"], worker.report()["error"]) == (False, None)


def test_one_worker_told_is_all_workers_told(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    one, other = scene.worker(), scene.worker()
    scene.promote("spam", 2)
    one.look()
    assert one.version() == "v2"
    wait_until(lambda: other.champions.current().models["spam"].version == "v2")


def test_the_candidate_is_shown_and_taken_away(scene: Scene) -> None:
    worker = scene.worker(shadow_share=0.5)
    assert worker.shown == []  # the champions are the newest candidates too
    scene.publish("spam", 2)
    worker.look()
    worker.look()
    assert worker.shown == [("spam", "v2")]
    assert (worker.version(), worker.report()["challenger"]) == ("v1", "v2")
    candidate = worker.champions._candidates["spam"]
    point(scene.hub, "spam", 2)
    worker.look()
    assert worker.shown == [("spam", "v2"), ("spam", None)]
    assert (worker.version(), worker.report()["challenger"]) == ("v2", None)
    assert candidate is not None
    assert worker.champions.current().models["spam"].bundle is candidate.bundle

    scene.publish("spam", 3)
    worker.look()
    assert worker.report()["challenger"] == "v3"
    repo = repo_id(NAMESPACE, "spam")
    content = scene.hub.refs(repo)
    branches = {name: oid for name, oid in content.branches.items() if name != CHALLENGER}
    gone = content.model_copy(update={"branches": branches})
    (scene.root / "hub" / repo / "refs.json").write_text(gone.model_dump_json())
    worker.look()
    assert worker.shown[2:] == [("spam", "v3"), ("spam", None)]
    assert worker.report()["challenger"] is None


def test_without_a_share_for_it_no_candidate_is_fetched(scene: Scene) -> None:
    worker = scene.worker()
    commit = scene.publish("spam", 2)
    worker.look()
    assert worker.shown == []
    assert not (scene.shelf("spam") / commit).exists()


def test_no_answer_mixes_one_version_with_the_name_of_another(scene: Scene) -> None:
    worker = scene.worker()
    for kind, version in itertools.product(("spam", "toxicity"), (2, 3)):
        scene.publish(kind, version)
    stop = threading.Event()
    seen: list[Any] = []

    def ask() -> None:
        while not stop.is_set():
            seen.extend(worker.champions.current().moderator().moderate([TEXT, "hello"])[:1])

    callers = [threading.Thread(target=ask) for _ in range(2)]
    for caller in callers:
        caller.start()
    models = {("spam", 1): served(worker, "spam"), ("toxicity", 1): served(worker, "toxicity")}
    for kind, version in (("spam", 2), ("toxicity", 2), ("spam", 3), ("toxicity", 3)):
        point(scene.hub, kind, version)
        worker.look()
        models[kind, version] = served(worker, kind)
    for kind, version in (("spam", 1), ("toxicity", 1), ("spam", 2), ("toxicity", 3)):
        point(scene.hub, kind, version)
        worker.look()
    stop.set()
    for caller in callers:
        caller.join()
    expected = {
        (f"v{spam}", f"v{toxicity}"): Moderator(
            models["spam", spam], models["toxicity", toxicity]
        ).moderate([TEXT])[0]
        for spam, toxicity in itertools.product((1, 2, 3), repeat=2)
    }
    assert len({verdict.spam.score for verdict in expected.values()}) == 3
    named = {(verdict.spam.version, verdict.toxicity.version) for verdict in seen}
    assert len(named) > 3
    for verdict in seen:
        assert verdict == expected[verdict.spam.version, verdict.toxicity.version]


def served(worker: Worker, kind: Kind) -> ServedModel:
    return worker.champions.current().models[kind].served()


def test_thirty_swaps_leave_nothing_behind(scene: Scene) -> None:
    worker = scene.worker()
    for version in (2, 3):
        scene.publish("spam", version)
    replaced: list[weakref.ref[Any]] = []
    gc.disable()  # the last reference must do
    try:
        for version in (2, 3, 1) * 10:  # none is the one before, which is in memory
            replaced.append(weakref.ref(worker.champions.current().models["spam"].bundle.model))
            point(scene.hub, "spam", version)
            worker.look()
    finally:
        gc.enable()
    assert worker.counted("careerlens_model_swaps_total") == 30
    alive = [each for each in replaced if each() is not None]
    assert alive == replaced[-1:]  # the one before


def test_a_batch_in_slices_stays_with_one_version(scene: Scene) -> None:
    worker = scene.worker()
    shadow = Shadow(0.0, ShadowMetrics(worker.metrics.registry), None, open_log("error"))
    moderation = Moderation(
        worker.champions, worker.metrics, shadow, no_monitor(), make_cache(), make_lines()
    )
    scene.publish("spam", 2)
    texts = [f"{TEXT} {number} " + "word " * 100 for number in range(300)]

    async def ask_and_swap() -> list[Any]:
        asked = asyncio.create_task(moderation.verdicts(texts))
        for _ in range(20):  # it has taken its models, and of 300 slices some are scored
            await asyncio.sleep(0)
        point(scene.hub, "spam", 2)
        worker.look()  # in the loop, which scores none meanwhile
        assert not asked.done()
        assert worker.version() == "v2"
        return (await asked).verdicts

    verdicts = asyncio.run(ask_and_swap())
    assert {verdict.spam.version for verdict in verdicts} == {"v1"}


def test_a_hub_that_fails_is_told_from_one_that_has_nothing_yet(
    remote: Scene, standin: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Found] = []

    class Told(Waits):  # a class of its own: workers of other tests may still be looking
        def after(self, what: Found) -> float:
            found.append(what)
            return 3600.0

    monkeypatch.setattr(follow, "Waits", Told)
    worker = remote.worker()
    wait_until(lambda: bool(found))
    standin.fail("", times=FOR_EVER, status=503)
    worker.look()
    wait_until(lambda: found[-1].state == "failing")
    assert found[-1].pause is None
    standin.recover()
    worker.look()
    wait_until(lambda: found[-1].state == "some")  # nobody published skills yet
    standin.fail("", times=FOR_EVER, status=429, headers={"Retry-After": "77"})
    worker.look()
    wait_until(lambda: found[-1].state == "failing")
    assert found[-1].pause == 77
    standin.recover()
    worker.look()
    wait_until(lambda: found[-1].state == "some")
    states = "".join(each.state[0] for each in found)
    assert re.fullmatch("s+f+s+f+s+", states)
