"""Logs of predictions as the service writes them, of messages that a test chooses."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from models.scoring import score_texts
from models.traits import text_traits
from tests.factories import ROOT

START = datetime(2026, 1, 1, tzinfo=UTC)


def starter_messages() -> list[str]:
    """Return the messages of the starter corpus."""
    with (ROOT / "data" / "starter" / "messages.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def starter_postings() -> list[str]:
    """Return sentences of the starter postings."""
    lines = (ROOT / "data" / "starter" / "postings.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["description"] for line in lines]
    return [sentence for text in texts for sentence in text.split(". ")]


def log_rows(
    pipeline: Pipeline,
    texts: Sequence[str],
    kind: str = "spam",
    digest: str = "d" * 64,
    version: str = "v1",
) -> list[dict[str, Any]]:
    """Return what the service would log of ``texts``, a minute apart."""
    return [
        {
            "time": (START + timedelta(minutes=number)).isoformat(),
            "request_id": f"r{number}",
            "kind": kind,
            "version": version,
            "digest": digest,
            **vars(text_traits(pipeline, text)),
            "review": 0.5,
            "block": 0.9,
            "score": float(score),
            "flagged": bool(score >= 0.5),
            "action": "allow" if score < 0.5 else "review" if score < 0.9 else "block",
        }
        for number, (text, score) in enumerate(
            zip(texts, score_texts(pipeline, texts)[:, 0], strict=True)
        )
    ]


def write_log(rows: Sequence[dict[str, Any]], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
