"""Job indexes at the gate: the same resumes, searched for in the postings of each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models import paired
from models.bundle import Bundle
from models.gates import Slice, flatten_metrics
from models.matching import JobIndex
from models.params import EvaluateParams
from models.skill_model import SkillModel
from models.skills import SkillHit
from pipelines.evidence_rows import Answered, EvidenceError, Given, digest_of, grouped, require
from pipelines.intervals import plain
from pipelines.questions import (
    Category,
    category_questions,
    family_questions,
    read_categories,
    resumes_digest,
)
from pipelines.retrieval import MEASURES, TOP_K, Measured, Question, index_ranking, measure
from pipelines.stage import read_lines

# Titles of postings shown for one resume.
_SHOWN = 3


def see_resumes(
    bundles: Sequence[Bundle[JobIndex]], skills: SkillModel, data: Path, params: EvaluateParams
) -> tuple[Given, list[Answered]]:
    """Return the resumes that every index can be asked for, and what each of them finds.

    An index is asked for the postings that it has, so the right ones differ; resumes of a category
    that one index knows nothing of are left out.

    Parameters
    ----------
    skills : SkillModel
        Reads the resumes for all of them.

    Raises
    ------
    EvidenceError
        If the resumes are not there, or there is none that every index can be asked for.
    """
    path = require(data / "clean" / "resumes.jsonl")
    resumes = read_lines(path)
    categories = read_categories(require(data / "retrieval" / "categories.yaml"))
    asked = [_questions(bundle.model, resumes, categories) for bundle in bundles]
    common = [key for key in asked[0] if all(key in questions for questions in asked)]
    if not common:
        raise EvidenceError(
            f"none of the {len(resumes)} resumes of {path} is of a category that the postings of "
            "both versions answer: run `dvc repro` with the corpus of the two"
        )
    texts = [text for _, text in common]
    hits = {text: skills.matcher.extract(text) for text in texts}
    digest = resumes_digest(resumes)
    answers = [
        _answered(bundle, [questions[key] for key in common], hits, params, digest)
        for bundle, questions in zip(bundles, asked, strict=True)
    ]
    sizes = " and ".join(f"{len(bundle.model.entries):,}" for bundle in bundles)
    given = Given(
        digest=digest_of(f"{group}\t{text}" for group, text in common),
        texts=texts,
        wanted=[group for group, _ in common],
        notes=(
            f"{len(common):,} resumes of {path}",
            f"{len(resumes) - len(common):,} left out that not every index has postings for",
            f"each index has postings of its own: {sizes}",
        ),
        strata=tuple(rows for _, rows in grouped(group for group, _ in common)),
    )
    return given, answers


def _questions(
    index: JobIndex, resumes: Sequence[dict[str, object]], categories: Sequence[Category]
) -> dict[tuple[str, str], Question]:
    """Return by category and text what can be asked of ``index``."""
    postings = [entry.posting for entry in index.entries]
    questions = (
        *category_questions(resumes, postings, categories),
        *family_questions(resumes, postings),
    )
    return {(question.group, question.text): question for question in questions}


def _answered(
    bundle: Bundle[JobIndex],
    questions: Sequence[Question],
    hits: dict[str, list[SkillHit]],
    params: EvaluateParams,
    digest: str,
) -> Answered:
    index = bundle.model
    rank = index_ranking(index, hits.__getitem__)
    measured = measure(questions, {"index": rank}, len(index.entries))
    precision = measured.outcomes["index"][:, MEASURES.index("precision_at_10")]
    metrics = {"headline": plain(measured.figures("index", params)), "test_digest": digest}
    return Answered(
        metrics=metrics,
        # What the resumes alone do not tell is as the bundle's own evaluation found it.
        figures=flatten_metrics(bundle.metrics) | flatten_metrics(metrics),
        metric="precision_at_10",
        main=paired.mean(precision, list(measured.groups.values())),
        quality=precision,
        slices=_slices(measured, precision),
        said=[
            f"{found:.1f}: " + "; ".join(posting.title for posting in rank(question.text)[:_SHOWN])
            for question, found in zip(questions, precision, strict=True)
        ],
        answer=lambda text: index.recommend(text, hits[text], TOP_K),
        scores=precision,
    )


def _slices(measured: Measured, precision: np.ndarray) -> dict[str, Slice]:
    return {
        f"resume/{group}": Slice(len(rows), float(precision[rows].mean()))
        for group, rows in measured.groups.items()
    }
