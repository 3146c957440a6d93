"""Our toxicity model beside its peers, on the same sample of the same rows."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.attacks import ATTACKS, disguise
from benchmarks.peers import PEERS, ask_peer
from benchmarks.quality_figures import Flags, Models, Scores, share, shown
from benchmarks.quality_rows import QualityRows, continued, sampled
from models.metrics import binary_metrics

Ask = Callable[[Sequence[str]], Scores]

# better-profanity takes a tenth of a second for a comment.
_ROWS, _FEW = 400, 100

#: Where the peers' own verdict begins.
_PEER_THRESHOLD = 0.5


def show_peers(models: Models, rows: QualityRows, folder: Path) -> None:
    """Print the table of ours and the peers', who are installed into ``folder`` if need be."""
    asked: dict[str, tuple[Ask, float]] = {"careerlens": (models.toxic, models.review)}
    for name in PEERS:
        asked[name] = (partial(_ask, name, folder), _PEER_THRESHOLD)
    questions = _questions(rows)
    print("| rows | n | figure | " + " | ".join(asked) + " |")
    print("|" + "---|" * (len(asked) + 3))
    texts = [text for frame in questions.values() for text in frame["text"]]
    scores = {name: ask(texts) for name, (ask, _) in asked.items()}
    at = 0
    for question, frame in questions.items():
        labels = frame["label"].to_numpy()
        here = slice(at, at := at + len(frame))
        parts = {name: (of[here], asked[name][1]) for name, of in scores.items()}
        figure, cells = _cells(labels, parts)
        print(f"| {question} | {len(frame):,} | {figure} | " + " | ".join(cells) + " |")


def _ask(name: str, folder: Path, texts: Sequence[str]) -> Scores:
    return np.array(ask_peer(name, texts, folder))


def _cells(labels: np.ndarray, parts: dict[str, tuple[Scores, float]]) -> tuple[str, list[str]]:
    """Return which figure the labels allow, and it for each system."""
    if 0 < labels.sum() < len(labels):
        return "AUC; F1", [_both(labels, *part) for part in parts.values()]
    flags: list[Flags] = [scores >= threshold for scores, threshold in parts.values()]
    return "flagged", [shown(share(flag)) for flag in flags]


def _both(labels: np.ndarray, scores: Scores, threshold: float) -> str:
    found = binary_metrics(labels, scores, threshold, resamples=500, seed=0)
    return f"{shown(found['auc'])}; {found['f1'].value:.3f}"


def _questions(rows: QualityRows) -> dict[str, pd.DataFrame]:
    test = rows.toxicity_test
    of_jigsaw = test[test["source"] == "jigsaw_balanced"]
    short = rows.attacked[rows.attacked["text"].str.len() <= 200]
    toxic, clean = (sampled(short[short["label"] == label], _FEW) for label in (1, 0))
    found = {
        "jigsaw_balanced test rows": sampled(of_jigsaw, _ROWS),
        "unintended_bias nonfuzzed": sampled(rows.nonfuzzed, _ROWS),
        "identity templates": sampled(rows.templates, _ROWS),
        "workplace hard negatives": pd.DataFrame({"text": rows.workplace, "label": 0}),
        "toxic rows, plain": toxic,
        "clean rows, plain": clean,
    }
    for name in ATTACKS:
        for kind, frame in (("toxic", toxic), ("clean", clean)):
            texts = [disguise(text, name) for text in frame["text"]]
            found[f"{kind} rows, {name}"] = frame.assign(text=texts)
    followed = continued(toxic["text"].tolist(), clean["text"].tolist(), 28)
    found["toxic rows followed by 28 clean words"] = toxic.assign(text=followed)
    return found
