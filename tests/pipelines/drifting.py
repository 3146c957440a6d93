"""Logs of predictions as the service writes them, of messages that a test chooses."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from models.bundle import save_bundle
from models.kinds import FORMATS
from models.manifest import Kind, Thresholds
from models.scoring import score_texts
from models.traits import text_traits
from pipelines.reference import Reference
from tests.factories import GOLDEN, ROOT, SOURCES

THRESHOLDS = Thresholds(review=0.5, block=0.9)

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
            **THRESHOLDS.model_dump(),
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


def package(folder: Path, kind: Kind, pipeline: Pipeline, reference: Reference) -> str:
    """Write the release of a text model that has a reference, and return the bundle's digest."""
    digest = save_bundle(
        folder / "bundle",
        FORMATS[kind],
        model=pipeline,
        metrics={"corpus": "starter", "headline": {"auc": 1.0, "mcc": 1.0}},
        golden=GOLDEN,
        corpus="starter",
        sources=SOURCES,
        data="d" * 64,
        params="p" * 64,
        code="c" * 64,
        thresholds=THRESHOLDS,
        reference=reference.model_dump(mode="json"),
    )
    (folder / "README.md").write_text("A model.")
    return digest
