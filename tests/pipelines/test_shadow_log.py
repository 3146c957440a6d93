"""What the log of candidates says, from lines that the service itself wrote."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from models.bundle import load_bundle
from models.kinds import FORMATS
from models.manifest import Thresholds
from models.moderation import Moderator, ServedModel
from pipelines.shadow_log import ShadowLogError, shadow_figures, shown, summarise
from serving.logs import open_log
from serving.shadow import Shadow, ShadowMetrics
from tests.pipelines.contenders import fit, mislabelled, release, starter_sides


def test_what_shadow_wrote_is_summarised(tiny_bundles: dict[str, Path], tmp_path: Path) -> None:
    place = tmp_path / "v9"
    release(place, "spam", fit("spam", mislabelled(starter_sides("spam")["train"], 3)))
    bundle = load_bundle(place / "bundle", FORMATS["spam"])
    challenger = ServedModel(bundle, "v9", Thresholds(review=0.5, block=0.9))
    spam, toxicity = (
        ServedModel(loaded, "v1", Thresholds(review=0.5, block=0.9))
        for kind in ("spam", "toxicity")
        for loaded in [load_bundle(tiny_bundles[kind] / "bundle", FORMATS[kind])]
    )
    texts = list(starter_sides("spam")["test"]["text"].unique())[:60]
    verdicts = Moderator(spam, toxicity).moderate(texts)
    log = tmp_path / "shadow.jsonl"
    shadow = Shadow(1.0, ShadowMetrics(CollectorRegistry()), log, open_log("error"))
    shadow.show("spam", challenger)
    for _ in range(2):
        shadow.sample(texts, verdicts)
    end = time.monotonic() + 20
    while not log.exists() or log.read_bytes().count(b"\n") < 2 * len(texts):
        assert time.monotonic() < end
        time.sleep(0.01)
    shadow.stop()
    with log.open("a") as file:
        line = json.loads(log.read_text().splitlines()[0])
        line["challenger"]["digest"] = "0" * 64
        file.write(json.dumps(line) + "\n" + '{"time": "2026-')

    digests = (spam.bundle.digest, bundle.digest)
    found = summarise(log, "spam", *digests)
    after = np.array([score[0] for score in _scores(challenger, texts)])
    before = np.array([verdict.spam.score for verdict in verdicts])
    flagged = np.array([verdict.spam.flagged for verdict in verdicts])
    assert (found["rows"], found["repeated"]) == (len(texts), len(texts))
    assert (found["of_others"], found["unreadable"]) == (1, 1)
    assert found["newly_flagged"] == int(((after >= 0.5) & ~flagged).sum())
    assert found["newly_passed"] == int(((after < 0.5) & flagged).sum())
    flips = found["newly_flagged"] + found["newly_passed"]
    assert flips > 0
    assert found["agreement"]["value"] == pytest.approx(1 - flips / len(texts))
    assert found["agreement"]["low"] < found["agreement"]["value"] < found["agreement"]["high"]
    assert found["shift"]["mean"] == pytest.approx(np.abs(after - before).mean())
    assert found["shift"]["p95"] == pytest.approx(np.percentile(np.abs(after - before), 95))
    assert sum(band["rows"] for band in found["bands"]) == len(texts)
    assert dict(shadow_figures(found))["shadow/agreement"] == found["agreement"]["value"]
    assert "1 lines of other versions" in shown(found)


def _scores(model: ServedModel, texts: list[str]) -> np.ndarray:
    scores: np.ndarray = model.bundle.model.predict_proba(texts)[:, 1:]
    return scores


def test_a_log_without_the_two_versions_says_so(tmp_path: Path) -> None:
    log = tmp_path / "shadow.jsonl"
    log.write_text("\n[]\n")
    found = summarise(log, "spam", "a", "b")
    assert (found["rows"], found["unreadable"]) == (0, 2)
    assert "0 distinct messages" in shown(found)


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShadowLogError, match=r"none\.jsonl is not there"):
        summarise(tmp_path / "none.jsonl", "spam", "a", "b")
