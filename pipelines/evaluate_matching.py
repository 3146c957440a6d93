"""Evaluate the job index: postings for resumes, for lists of skills, and how pairs are scored."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import CareerlensError
from models.matching import JobIndex, Posting, build_index, load_index, load_postings
from models.metrics import Figure
from models.params import EvaluateParams, IndexParams, load_params
from models.skill_model import SkillModel, load_skill_model
from models.skills import importance
from pipelines.bars import write_bars
from pipelines.entry import entry_point
from pipelines.intervals import bootstrap, plain
from pipelines.questions import (
    Category,
    category_questions,
    family_questions,
    read_categories,
    resumes_digest,
    title_questions,
)
from pipelines.retrieval import Measured, Question, index_ranking, measure, plain_ranking
from pipelines.score_pairs import pair_scores
from pipelines.stage import parse_args, read_contents, read_lines, write_json

#: What the index is held against.
BASELINES = ("random", "plain_tfidf")


class MatchingEvaluationError(CareerlensError):
    """The resumes cannot tell anything about the job index."""


def resume_questions(
    resumes: Sequence[Mapping[str, Any]],
    postings: Sequence[Posting],
    categories: Sequence[Category],
) -> list[Question]:
    """Return the questions that ``resumes`` ask of ``postings``.

    Raises
    ------
    MatchingEvaluationError
        If there are none.
    """
    questions = [
        *category_questions(resumes, postings, categories),
        *family_questions(resumes, postings),
    ]
    if not questions:
        raise MatchingEvaluationError(
            f"none of the {len(resumes)} resumes is of a category that postings answer: "
            "see data/reports/clean_jobs.json, and raise data.sample in params.yaml if it is set"
        )
    return questions


def ask(
    questions: Sequence[Question],
    postings: Sequence[Posting],
    index: JobIndex,
    skills: SkillModel,
) -> Measured:
    """Return how well the index answers, beside plain TF-IDF over ``postings`` and chance."""
    rankings = {
        "index": index_ranking(index, skills.matcher.extract),
        "plain_tfidf": plain_ranking(postings),
    }
    return measure(questions, rankings, len(postings))


def ask_by_skills(
    postings: Sequence[Posting], skills: SkillModel, params: IndexParams
) -> Measured | None:
    """Return how well an index finds postings of one title by skills alone, or None if none asks.

    The index is built again without the postings that ask, and so that no posting stands there
    twice; plain TF-IDF searches the same ones.
    """
    questions, left = title_questions(postings)
    if not questions:
        return None
    index = build_index(left, skills.matcher, importance, params=params)
    return ask(questions, [entry.posting for entry in index.entries], index, skills)


def _ask_by_skills(postings: Path, skills: Path, params: IndexParams) -> Measured | None:
    """Do what :func:`ask_by_skills` does with what lies in files, in a process of its own."""
    model = load_skill_model(read_contents(skills), str(skills))
    return ask_by_skills(load_postings(postings), model, params)


def figures_of(
    resumes: Measured,
    titles: Measured | None,
    scores: Mapping[str, np.ndarray],
    params: EvaluateParams,
) -> dict[str, Any]:
    """Return headline, slices and baselines of what was measured."""
    headline = resumes.figures("index", params)
    gains = resumes.gains("index", "plain_tfidf", params)
    headline |= {f"{name}_gain": gain for name, gain in gains.items()}
    baselines = {name: resumes.figures(name, params) for name in BASELINES}
    if titles is not None:
        headline |= _prefixed("title", titles.figures("index", params))
        for name in BASELINES:
            baselines[name] |= _prefixed("title", titles.figures(name, params))
    headline |= {
        f"score_{name}": bootstrap(found, lambda drawn: np.median(drawn, axis=1), params)
        for name, found in scores.items()
        if len(found)
    }
    if len(scores["matched"]):
        told_apart = (scores["matched"] > scores["unrelated"]).astype(float)
        headline["scores_told_apart"] = bootstrap(
            told_apart, lambda drawn: drawn.mean(axis=1), params
        )
    return {
        "headline": plain(headline),
        "slices": {
            f"{name}/{group}": _slice(measured, group, params)
            for name, measured in (("resume", resumes), ("title", titles))
            if measured is not None
            for group in measured.groups
        },
        "baselines": {name: plain(figures) for name, figures in baselines.items()},
    }


def _slice(measured: Measured, group: str, params: EvaluateParams) -> dict[str, Any]:
    figures = measured.group_figures("index", group, params)
    for name in BASELINES:
        figures |= _prefixed(name, measured.group_figures(name, group, params))
    return {"rows": len(measured.groups[group]), **plain(figures)}


def _prefixed(prefix: str, figures: Mapping[str, Figure]) -> dict[str, Figure]:
    return {f"{prefix}_{name}": figure for name, figure in figures.items()}


def write_plots(slices: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Write precision by category, and by title where titles were asked for."""
    for kind, title in (
        ("resume", "postings that answer a resume, by its category"),
        ("title", "postings of the same title, found by skills alone"),
    ):
        names = [name for name in slices if name.startswith(f"{kind}/")]
        if names:
            write_bars(
                folder / f"precision_by_{kind}.png",
                title,
                "precision at 10",
                [name.partition("/")[2] for name in names],
                {
                    label: [slices[name][figure] for name in names]
                    for label, figure in (
                        ("job index", "precision_at_10"),
                        ("plain TF-IDF", "plain_tfidf_precision_at_10"),
                        ("random", "random_precision_at_10"),
                    )
                },
            )


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=["skills", "model", "postings", "resumes", "categories"],
        outputs=["metrics", "summary", "plots"],
    )
    params = load_params()
    # Beside all the rest: it builds an index of its own, which takes as long.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        asked = pool.submit(
            _ask_by_skills, args.postings, args.skills, params.matching.index[params.data.corpus]
        )
        skills = load_skill_model(read_contents(args.skills), str(args.skills))
        index = load_index(read_contents(args.model), str(args.model))
        postings = load_postings(args.postings)
        rows = read_lines(args.resumes)
        questions = resume_questions(rows, postings, read_categories(args.categories))
        years = {row["text"]: row.get("years") for row in rows}
        by_resume = ask(questions, postings, index, skills)
        scores = pair_scores(
            index.space,
            skills.extract,
            questions,
            [years[question.text] for question in questions],
            postings,
        )
        by_skills = asked.result()
    metrics = {
        "model": "matching",
        "corpus": params.data.corpus,
        "rows": len(questions),
        "test_digest": resumes_digest(rows),
        **figures_of(by_resume, by_skills, scores, params.evaluate),
    }
    summary = {name: figure["value"] for name, figure in metrics["headline"].items()}
    write_json(metrics, args.metrics)
    write_json(summary, args.summary)
    write_plots(metrics["slices"], args.plots)
    print(
        f"matching: {len(questions)} resumes, precision at 10 {summary['precision_at_10']:.3f} "
        f"({summary['precision_at_10_gain']:+.3f} over plain TF-IDF), MRR {summary['mrr']:.3f}"
    )


if __name__ == "__main__":
    main()
