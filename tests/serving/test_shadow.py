"""Candidates in shadow: they change no answer, keep within bounds, and log no text."""

import asyncio
import hashlib
import json
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from models.bundle import load_bundle
from models.kinds import FORMATS
from models.manifest import Kind, Thresholds
from models.moderation import Moderator, ServedModel
from serving.line_file import LineFile
from serving.logs import open_log
from serving.metrics import Metrics
from serving.moderation import Moderation
from serving.shadow import QUEUE_SIZE, Shadow, ShadowMetrics
from serving.snapshot import TEXT_KINDS
from tests.serving.caches import make_cache, make_lines, no_monitor

TEXTS = [f"message {number}: win a prize, you stupid idiot" for number in range(40)]


class Desk:
    """Champions, and a shadow that writes to ``log``."""

    def __init__(self, bundles: dict[Kind, Path], log: Path, share: float = 1.0) -> None:
        self.models = {
            kind: ServedModel(loaded, f"v{number}", Thresholds(review=0.5, block=0.9))
            for number, kind in enumerate(TEXT_KINDS, start=1)
            for loaded in [load_bundle(bundles[kind] / "bundle", FORMATS[kind])]
        }
        self.registry = CollectorRegistry()
        self.log = log
        self.shadow = Shadow(share, ShadowMetrics(self.registry), log, open_log("error"))
        self.moderator = Moderator(self.models["spam"], self.models["toxicity"])

    def challenger(self, review: float = 0.0) -> ServedModel:
        return replace(
            self.models["spam"], version="v9", thresholds=Thresholds(review=review, block=1.0)
        )

    def sample(self, texts: Sequence[str]) -> None:
        self.shadow.sample(texts, self.moderator.moderate(texts))

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"careerlens_shadow_{name}", labels) or 0.0

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not met():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def desk(tiny_bundles: dict[Kind, Path], tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tiny_bundles, tmp_path / "shadow.jsonl")
    yield desk
    desk.shadow.stop()


class Standing:
    """What the service has of champions, as far as moderation asks."""

    def __init__(self, moderator: Moderator) -> None:
        self._moderator = moderator

    def current(self) -> "Standing":
        return self

    def moderator(self) -> Moderator:
        return self._moderator


def hold(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> threading.Event:
    """Let the candidate stand still in the middle of scoring until the event is set."""
    go_on, reached = threading.Event(), threading.Event()
    score = desk.shadow._score

    def held(part: Any) -> None:
        reached.set()
        go_on.wait(20)
        score(part)

    monkeypatch.setattr(desk.shadow, "_score", held)
    desk.shadow.show("spam", desk.challenger())
    desk.sample(["the first"])
    assert reached.wait(20)
    return go_on


def test_lines_have_both_sides_and_never_the_text(desk: Desk) -> None:
    desk.shadow.show("spam", desk.challenger(review=0.0))
    desk.sample(TEXTS)
    until(lambda: desk.log.exists() and len(desk.lines()) == len(TEXTS))
    verdicts = desk.moderator.moderate(TEXTS)
    for text, verdict, line in zip(TEXTS, verdicts, desk.lines(), strict=True):
        assert line["kind"] == "spam"
        assert line["champion"]["score"] == verdict.spam.score
        assert line["champion"]["flagged"] == verdict.spam.flagged
        assert line["challenger"]["version"] == "v9"
        assert line["challenger"]["score"] == pytest.approx(verdict.spam.score, abs=1e-9)
        assert line["challenger"]["flagged"]
        assert line["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    written = desk.log.read_text()
    assert not any(word in written for word in ("message", "prize", "idiot"))
    agreeing = sum(verdict.spam.flagged for verdict in verdicts)
    until(lambda: desk.count("shift_count", kind="spam") == len(TEXTS))
    assert desk.count("answers_total", kind="spam", outcome="agree") == agreeing
    assert desk.count("answers_total", kind="spam", outcome="disagree") == len(TEXTS) - agreeing


@pytest.mark.parametrize("how", ["fails", "is slow", "is blocked"])
def test_a_bad_candidate_changes_neither_answers_nor_their_order(
    how: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def bad(*_: object) -> None:
        if how == "fails":
            raise ValueError(TEXTS[0])
        go_on.wait(0.2 if how == "is slow" else 20)

    monkeypatch.setattr(desk.shadow, "_score", bad)
    desk.shadow.show("spam", desk.challenger())
    standing: Any = Standing(desk.moderator)
    moderation = Moderation(
        standing, Metrics(), desk.shadow, no_monitor(), make_cache(), make_lines()
    )
    long = [text * 20 for text in TEXTS]  # not scored in place
    start = time.monotonic()
    for texts in (TEXTS, long):
        judged = asyncio.run(moderation.verdicts(texts))
        assert judged.verdicts == desk.moderator.moderate(texts)
    assert time.monotonic() - start < 10
    if how == "fails":
        until(lambda: desk.count("dropped_total") == 2 * len(TEXTS))
    go_on.set()


def test_the_queue_is_bounded_and_drops_are_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold(monkeypatch, desk)
    desk.shadow.sample(
        ["again"] * (QUEUE_SIZE + 7), desk.moderator.moderate(["again"]) * (QUEUE_SIZE + 7)
    )
    assert len(desk.shadow._aside._queue) == QUEUE_SIZE
    assert desk.count("dropped_total") == 7
    go_on.set()


def test_what_waits_for_a_version_taken_away_is_dropped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold(monkeypatch, desk)
    desk.sample(TEXTS)
    desk.shadow.show("spam", None)
    go_on.set()
    until(lambda: desk.count("dropped_total") == 1 + len(TEXTS))  # the one in hand too
    assert not desk.log.exists()


def test_share_nothing_makes_nothing(tiny_bundles: dict[Kind, Path], tmp_path: Path) -> None:
    desk = Desk(tiny_bundles, tmp_path / "shadow.jsonl", share=0.0)
    desk.shadow.show("spam", desk.challenger())
    desk.sample(TEXTS)
    assert desk.shadow._aside._thread is None
    assert not desk.shadow._aside._queue
    assert not list(tmp_path.iterdir())


def test_a_text_is_chosen_always_or_never_and_about_the_share_of_them(
    tiny_bundles: dict[Kind, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tiny_bundles, tmp_path / "shadow.jsonl", share=0.5)
    go_on = hold_nothing(monkeypatch, desk)
    texts = [str(number) for number in range(400)]
    (verdict,) = desk.moderator.moderate(["any"])
    for _ in range(2):
        desk.shadow.sample(texts, [verdict] * len(texts))
    waiting = [each.text for each in desk.shadow._aside._queue]
    assert 150 < len(set(waiting)) < 250
    assert waiting[: len(waiting) // 2] == waiting[len(waiting) // 2 :]
    go_on.set()
    desk.shadow.stop()


def hold_nothing(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> threading.Event:
    """Let the candidate take nothing from the queue until the event is set."""
    go_on = threading.Event()
    take = desk.shadow._aside._next
    monkeypatch.setattr(desk.shadow._aside, "_next", lambda: (go_on.wait(20), take())[1])
    desk.shadow.show("spam", desk.challenger())
    return go_on


def append_many(path: Path, name: str) -> None:
    file = LineFile(path, 150_000)
    for number in range(100):
        file.append({"by": name, "number": number, "pad": name * 300} for _ in range(3))


def test_lines_of_two_processes_do_not_interleave_and_the_size_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "shadow.jsonl"
    context = multiprocessing.get_context("forkserver")
    workers = [context.Process(target=append_many, args=(path, name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    parts = [tmp_path / "shadow.jsonl.1", path]
    assert all(part.stat().st_size <= 150_000 for part in parts)
    rows = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    assert len(rows) == 600  # rotated once: nothing is lost
    assert all(row["pad"] == row["by"] * 300 for row in rows)
