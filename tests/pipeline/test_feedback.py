"""From a mistake of the model to moderators' corrections to a model that does not make it."""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from models.manifest import Manifest
from models.scoring import score_texts
from models.skops_file import load_model
from pipelines.sources import FEEDBACK
from pipelines.stage import read_json, read_table
from tests.factories import ROOT
from tests.pipeline.conftest import Checkout, make_checkout
from tests.serving.feedback_case import sqlite_address
from tests.serving.feedback_client import feedback_client

FITTING = ("split", "fit_tfidf@spam", "train_spam")

#: What the shipped corpus knows nothing of.
CORRECTED = [
    sentence.format(city)
    for sentence, city in product(
        (
            "The {} match tonight is fixed, join our betting room",
            "Certain odds on the {} game, our betting room opens at nine",
            "Our tipster knows how the {} match ends, bet with us tonight",
            "Bet with us on the {} game, the odds are certain",
        ),
        ("Leeds", "Porto", "Lyon", "Genoa", "Basel"),
    )
]
HELD_OUT = [
    "The Turin match tonight is fixed, join our betting room",
    "Our tipster knows the odds on the Turin game, the betting room is open",
    "The game in Turin is fixed: bet with us tonight",
    "Join our betting room, the match is certain",
]
ORDINARY = [
    "Did you watch the match tonight? Leeds played well",
    "The game room on floor two is open until nine",
    "Our team meets for the Turin project tonight",
    "The odds of finishing on time are good, see you at nine",
]


class Verdicts:
    """What the present spam model says."""

    def __init__(self, checkout: Checkout) -> None:
        folder = checkout.root / "artifacts" / "spam"
        self._model = load_model(folder / "model.skops")
        self._review = read_json(folder / "thresholds.json")["review"]

    def flagged(self, texts: list[str]) -> list[bool]:
        return [bool(score >= self._review) for score in score_texts(self._model, texts)[:, 0]]


def correct(folder: Path, starter_spam: str) -> None:
    """Have two moderators say by HTTP what is right."""
    with feedback_client(sqlite_address(folder), folder / "keys.json") as client:
        for who, text in product(("ann", "bob"), CORRECTED):
            assert client.say(who, {"text": text, "spam": True}).status_code == 200
        for who in ("ann", "bob"):
            client.say(who, {"text": starter_spam, "spam": False})
            said = {"toxicity": True, "categories": {"insult": True}}
            client.say(who, {"text": "You play like a turnip", **said})
        client.say("ann", {"text": "Nobody else saw this one", "spam": True})


def export(folder: Path, output: Path) -> str:
    environment = os.environ | {"CAREERLENS_DATABASE_URL": sqlite_address(folder)}
    command = [sys.executable, "-m", "serving.feedback", "export", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def count(checkout: Checkout, table: str, source: str) -> dict[str, Any]:
    report = read_json(checkout.root / "data" / "reports" / "clean.json")
    found: dict[str, Any] = report["tables"][table].get(source, {})
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = make_checkout(tmp_path / "careerlens")
    made.change_params(data={"sample": None})
    return made


def test_corrections_of_a_repeated_mistake_change_the_next_models_verdict(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.run_stages("ingest", "clean", *FITTING)
    before = Verdicts(checkout)
    assert not any(before.flagged([*CORRECTED, *HELD_OUT, *ORDINARY]))
    assert count(checkout, "spam", FEEDBACK) == {}
    spam = read_table(checkout.root / "data" / "clean" / "spam.parquet")
    known = spam[spam["label"] == 1].iloc[0]

    correct(tmp_path, known["text"])
    printed = export(tmp_path, checkout.root / "data" / "feedback" / "feedback.jsonl")
    checkout.run_stages(
        "ingest",
        "validate_raw",
        "clean",
        "validate_clean",
        *FITTING,
        "evaluate@spam",
        "package@spam",
    )

    after = Verdicts(checkout)
    assert all(after.flagged(HELD_OUT))
    assert not any(after.flagged(ORDINARY))
    assert count(checkout, "spam", FEEDBACK)["labels"] == {"1": len(CORRECTED), "0": 1}
    assert count(checkout, "spam", "starter")["dropped"]["overruled"] == 1
    assert count(checkout, "toxicity", FEEDBACK)["labels"] == {"1": 1}
    spam = read_table(checkout.root / "data" / "clean" / "spam.parquet")
    [pardoned] = spam[spam["text"] == known["text"]].itertuples()
    assert (pardoned.source, pardoned.label, pardoned.group) == (FEEDBACK, 0, known["group"])
    manifest = Manifest.model_validate(
        json.loads((checkout.root / "artifacts/spam/release/bundle/manifest.json").read_text())
    )
    assert manifest.sources[FEEDBACK].files["feedback.jsonl"] in printed
