"""Evaluate the skills model on postings that people tagged, or else on skills postings list."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import CareerlensError
from models.matching import Posting, load_postings
from models.params import EvaluateParams, load_params
from models.skill_model import SkillModel, load_skill_model
from models.tagger import TaggedText, tagged_texts
from pipelines.bars import write_bars
from pipelines.entry import entry_point
from pipelines.intervals import Rows, bootstrap, plain
from pipelines.sentences import SCORED, read_sentences
from pipelines.skill_spans import LAYERS, layer_figures, markers
from pipelines.stage import parse_args, read_contents, write_json


class SkillsEvaluationError(CareerlensError):
    """The data cannot tell anything about the skills model."""


def evaluate_spans(
    model: SkillModel, texts: Sequence[TaggedText], params: EvaluateParams
) -> dict[str, Any]:
    """Return span figures of the model as it ships, and of either half of it as baselines."""
    figures = {name: layer_figures(texts, mark, params) for name, mark in markers(model).items()}
    shipped = figures.pop("shipped")
    marked = {
        layer: sum(len(each.places(*labels)) for each in texts) for layer, labels in LAYERS.items()
    }
    return {
        "rows": len(texts),
        "test_digest": lines_digest(f"{each.text}\t{each.spans}" for each in texts),
        "headline": plain(shipped["both"]),
        "slices": {
            f"layer/{layer}": {"rows": marked[layer], **plain(shipped[layer])} for layer in LAYERS
        },
        "baselines": {
            name: {
                figure if layer == "both" else f"{layer}_{figure}": value
                for layer, found in layers.items()
                for figure, value in plain(found).items()
            }
            for name, layers in figures.items()
        },
    }


def evaluate_listed(
    model: SkillModel, postings: Sequence[Posting], params: EvaluateParams
) -> dict[str, Any]:
    """Return which share of the skills that postings list is found in their descriptions.

    Raises
    ------
    SkillsEvaluationError
        If no posting has both a description and a list.
    """
    both = [posting for posting in postings if posting.description and posting.skills]
    if not both:
        raise SkillsEvaluationError(
            f"there are no tagged sentences of the set {SCORED!r}, and none of the "
            f"{len(postings)} postings has both a description and a list of skills"
        )
    rows = np.array([_listed(model, posting) for posting in both], dtype=np.float64)
    families: dict[str, list[int]] = {}
    for row, posting in enumerate(both):
        families.setdefault(posting.family or "none", []).append(row)
    return {
        "rows": len(both),
        "test_digest": lines_digest(posting.text for posting in both),
        "headline": _recall(rows, params),
        "slices": {
            f"family/{family}": {"rows": len(numbers), **_recall(rows[numbers], params)}
            for family, numbers in families.items()
        },
        "baselines": {},
    }


def _listed(model: SkillModel, posting: Posting) -> tuple[int, int]:
    """Return how many listed skills the description names, and how many are listed."""
    found = {hit.name for hit in model.extract(posting.description or "") if hit.stated}
    listed = {model.matcher.name_of(skill) or skill for skill in posting.skills}
    return len(listed & found), len(listed)


def _recall(rows: Rows, params: EvaluateParams) -> dict[str, Any]:
    figure = bootstrap(
        rows, lambda drawn: np.divide(*np.moveaxis(drawn.sum(axis=1), -1, 0)), params
    )
    return plain({"listed_recall": figure})


def lines_digest(lines: Iterable[str]) -> str:
    """Return the sha256 over the texts that the model is scored on."""
    return hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()


def write_plots(metrics: Mapping[str, Any], folder: Path) -> None:
    """Write what the model and either half of it reach, or recall by family of postings."""
    if metrics["baselines"]:
        names = ["strict_f1", "partial_f1"]
        write_bars(
            folder / "spans.png",
            "skill and knowledge spans",
            "F1",
            [name.replace("_", " ") for name in names],
            {
                name.replace("_", " "): [figures[figure] for figure in names]
                for name, figures in (
                    ("shipped", metrics["headline"]),
                    *metrics["baselines"].items(),
                )
            },
        )
    else:
        slices = metrics["slices"]
        write_bars(
            folder / "listed.png",
            "listed skills found in the description",
            "recall",
            [name.partition("/")[2] for name in slices],
            {"skills model": [figures["listed_recall"] for figures in slices.values()]},
        )


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=["skills", "sentences", "postings"],
        outputs=["metrics", "summary", "plots"],
    )
    params = load_params()
    model = load_skill_model(read_contents(args.skills), str(args.skills))
    tagged = tagged_texts(read_sentences(args.sentences, SCORED))
    figures = (
        evaluate_spans(model, tagged, params.evaluate)
        if tagged
        else evaluate_listed(model, load_postings(args.postings), params.evaluate)
    )
    metrics = {"model": "skills", "corpus": params.data.corpus, **figures}
    summary = {name: figure["value"] for name, figure in metrics["headline"].items()}
    write_json(metrics, args.metrics)
    write_json(summary, args.summary)
    write_plots(metrics, args.plots)
    print(
        f"skills: {metrics['rows']} postings, "
        + ", ".join(f"{name} {value:.3f}" for name, value in summary.items())
    )


if __name__ == "__main__":
    main()
