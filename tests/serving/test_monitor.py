"""The log of predictions: a share, whole lines, no text unless wanted, and never at a cost."""

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from models.bundle import load_bundle
from models.kinds import FORMATS
from models.manifest import Kind, Thresholds
from models.moderation import Moderator, ServedModel
from models.traits import text_traits
from serving.exchange import current_id
from serving.line_file import LineFile
from serving.logs import open_log
from serving.monitor import COLUMNS, FILE, QUEUE_SIZE, Monitor, MonitorMetrics

TEXTS = ["You won a prize! Claim it", "see you on Monday", "שלום חבר", "12345", "", "é 😀 idiot"]


class Desk:
    """Champions and a log of what they say."""

    def __init__(self, bundles: dict[Kind, Path], folder: Path) -> None:
        spam, toxicity = (
            ServedModel(
                load_bundle(bundles[kind] / "bundle", FORMATS[kind]),
                f"v{number}",
                Thresholds(review=0.5, block=0.9),
            )
            for number, kind in enumerate(("spam", "toxicity"), start=1)
        )
        self.moderator = Moderator(spam, toxicity)
        self.folder = folder
        self.registry = CollectorRegistry()
        self.metrics = MonitorMetrics(self.registry)
        self.stream = io.StringIO()
        self.opened: list[Monitor] = []

    def open(self, share: float = 1.0, *, with_text: bool = False) -> Monitor:
        log = open_log("warning", self.stream)
        monitor = Monitor(share, self.folder, with_text, self.metrics, log)
        self.opened.append(monitor)
        return monitor

    def sample(self, monitor: Monitor, texts: list[str]) -> None:
        monitor.sample(self.moderator, texts, self.moderator.moderate(texts))

    def count(self, outcome: str) -> float:
        name = "careerlens_prediction_log_total"
        return self.registry.get_sample_value(name, {"outcome": outcome}) or 0.0

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / FILE).read_text().splitlines()]


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def desk(tiny_bundles: dict[Kind, Path], tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tiny_bundles, tmp_path / "deep" / "predictions")
    yield desk
    for monitor in desk.opened:
        monitor.stop()


def test_a_line_for_each_model_says_what_it_said_and_nothing_of_the_text(desk: Desk) -> None:
    monitor = desk.open()
    token = current_id.set("request-7")
    desk.sample(monitor, TEXTS)
    current_id.reset(token)
    until(lambda: desk.count("written") == len(TEXTS))
    rows = desk.rows()
    assert len(rows) == 2 * len(TEXTS)
    verdicts = desk.moderator.moderate(TEXTS)
    for number, (text, verdict) in enumerate(zip(TEXTS, verdicts, strict=True)):
        pair = rows[2 * number : 2 * number + 2]
        for row, kind in zip(pair, ("spam", "toxicity"), strict=True):
            said, model = getattr(verdict, kind), getattr(desk.moderator, kind)
            traits = vars(text_traits(model.bundle.model, text))
            assert {name: row[name] for name in traits} == traits
            assert set(row) == set(COLUMNS)
            assert (row["kind"], row["request_id"]) == (kind, "request-7")
            assert (row["score"], row["flagged"]) == (said.score, said.flagged)
            assert row["action"] == model.action(said.score)
            assert (row["version"], row["digest"]) == (said.version, said.digest)
            assert (row["review"], row["block"]) == (0.5, 0.9)
    written = (desk.folder / FILE).read_text()
    assert not any(word in written for word in ("prize", "Monday", "12345", "idiot", "\\u"))


def test_the_text_is_written_where_the_operator_wants_it(desk: Desk) -> None:
    desk.sample(desk.open(with_text=True), TEXTS)
    until(lambda: desk.count("written") == len(TEXTS))
    assert [row["text"] for row in desk.rows()[::2]] == TEXTS


def test_about_the_share_is_chosen_and_none_of_share_nothing(desk: Desk) -> None:
    desk.sample(desk.open(share=0.0), TEXTS)
    monitor = desk.open(share=0.5)
    for _ in range(100):
        desk.sample(monitor, TEXTS[:4])
    until(lambda: desk.count("written") > 150)
    time.sleep(0.1)
    assert 140 < desk.count("written") < 260
    assert desk.opened[0]._aside._thread is None


def test_a_folder_that_cannot_be_written_costs_no_answer_and_is_said_once(desk: Desk) -> None:
    desk.folder.parent.mkdir(parents=True)
    desk.folder.write_text("in the way")
    monitor = desk.open()
    for text in TEXTS:
        desk.sample(monitor, [text])
        until(lambda: not len(monitor._aside))
    until(lambda: desk.count("dropped") == len(TEXTS))
    [line] = [json.loads(line) for line in desk.stream.getvalue().splitlines()]
    assert (line["event"], line["error"]) == ("prediction log failed", "FileExistsError")
    desk.folder.unlink()  # and once it can be written again, it is
    desk.sample(monitor, TEXTS)
    until(lambda: desk.count("written") == len(TEXTS))
    assert len(desk.rows()) == 2 * len(TEXTS)


def test_a_full_disk_costs_no_answer_and_leaves_whole_lines(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = desk.open()
    append = LineFile.append

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LineFile, "append", full)
    desk.sample(monitor, TEXTS)
    until(lambda: desk.count("dropped") == len(TEXTS))
    monkeypatch.setattr(LineFile, "append", append)
    desk.sample(monitor, TEXTS)
    until(lambda: desk.count("written") == len(TEXTS))
    assert len(desk.rows()) == 2 * len(TEXTS)


def test_the_line_is_bounded_and_drops_are_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = desk.open()
    monkeypatch.setattr(monitor._aside, "_next", lambda: time.sleep(0.05) or [])
    [verdict] = desk.moderator.moderate(["again"])
    monitor.sample(desk.moderator, ["again"] * (QUEUE_SIZE + 7), [verdict] * (QUEUE_SIZE + 7))
    assert len(monitor._aside) == QUEUE_SIZE
    assert desk.count("dropped") == 7


def test_old_parts_give_way(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "log", max_bytes=100, parts=3)
    for number in range(40):
        file.append([{"number": number, "pad": "x" * 20}])
    names = sorted(path.name for path in tmp_path.glob("log*") if not path.name.endswith("lock"))
    assert names == ["log", "log.1", "log.2", "log.3"]
    kept = [
        json.loads(line)["number"]
        for name in ("log.3", "log.2", "log.1", "log")
        for line in (tmp_path / name).read_text().splitlines()
    ]
    assert kept == list(range(kept[0], 40))
