"""Small real models for tests: fitted, packaged, and released as the pipeline would."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from models import spam, toxicity
from models.bundle import save_bundle
from models.kinds import FORMATS
from models.manifest import Kind, Source, Thresholds
from models.matching import IndexParams, JobIndex, build_index, load_postings
from models.params import load_params
from models.skill_model import SkillModel
from models.skills import SkillMatcher, importance, load_taxonomy
from models.tfidf import fit_vectoriser

ROOT = Path(__file__).resolve().parent.parent

MESSAGES: tuple[tuple[str, int, tuple[int, int, int, int, int]], ...] = (
    ("Hello, are you free on Monday for the interview?", 0, (0, 0, 0, 0, 0)),
    ("Thanks for the offer, I would like to talk about the salary", 0, (0, 0, 0, 0, 0)),
    ("Could you send me your resume as a PDF please", 0, (0, 0, 0, 0, 0)),
    ("The team meets at ten, see you there", 0, (0, 0, 0, 0, 0)),
    ("You won a prize! Claim it now at http://win.example", 1, (0, 0, 0, 0, 0)),
    ("Earn $5000 a week from home, no experience, message me on WhatsApp", 1, (0, 0, 0, 0, 0)),
    ("Free crypto giveaway, send 0.1 BTC and get 1 BTC back now", 1, (0, 0, 0, 0, 0)),
    ("You are a stupid idiot and everybody knows it", 0, (1, 1, 0, 0, 0)),
    ("What a pathetic moron, get lost you idiot", 0, (1, 1, 0, 0, 0)),
    ("I will find you and hurt you", 0, (1, 0, 1, 0, 0)),
    ("Fuck this shit and fuck you", 0, (1, 0, 0, 1, 0)),
    ("Foreigners like you should all be thrown out, you people are filth", 0, (1, 1, 0, 0, 1)),
)

GOLDEN = (
    "See you on Friday at the office",
    "Claim your free prize now",
    "you idiot",
    "שלום",
    "é 😀",
)

SOURCES = {"starter": Source(licence="Apache-2.0", files={"messages.csv": "0" * 64})}


def tiny_pipeline(kind: Kind, extra: tuple[str, ...] = ()) -> Pipeline:
    """Return a pipeline of ``kind`` fitted on ``MESSAGES`` and on ``extra`` clean texts."""
    chosen = load_params(ROOT / "params.yaml")
    section = chosen.text_model(kind)
    rows = [*MESSAGES, *((text, 0, (0, 0, 0, 0, 0)) for text in extra)]
    texts = [text for text, _, _ in rows]
    words = section.tfidf.word.model_copy(update={"min_df": 1})
    chars = section.tfidf.char.model_copy(update={"min_df": 1})
    tfidf = section.tfidf.model_copy(update={"word": words, "char": chars})
    vectoriser = fit_vectoriser(texts, section.normalise, tfidf)
    features = vectoriser.transform(texts)
    if kind == "spam":
        classifier = spam.build_classifier(chosen.spam.classifier)
        classifier.fit(features, np.array([label for _, label, _ in rows]))
    else:
        classifier = toxicity.build_classifier(chosen.toxicity.classifier)
        classifier.fit(features, np.array([heads for _, _, heads in rows], dtype=float))
    return Pipeline([*vectoriser.steps, ("classifier", classifier)])


@cache
def starter_skills() -> SkillModel:
    """Return the taxonomy's model, without a tagger."""
    return SkillModel(SkillMatcher(load_taxonomy(ROOT / "data" / "taxonomy" / "skills.csv")))


@cache
def starter_index() -> JobIndex:
    """Return the index of the starter postings."""
    postings = load_postings(ROOT / "data" / "starter" / "postings.jsonl")
    titles = ("Backend Developer", "Staff Nurse")
    return build_index(
        postings, starter_skills().matcher, importance, titles, IndexParams(min_df=1)
    )


def tiny_model(kind: Kind, extra: tuple[str, ...] = ()) -> Any:
    """Return a small model of ``kind``; ``extra`` changes a text model alone."""
    if kind == "skills":
        return starter_skills()
    if kind == "matching":
        return starter_index()
    return tiny_pipeline(kind, extra)


def make_release(
    folder: Path,
    kind: Kind,
    *,
    extra: tuple[str, ...] = (),
    thresholds: Thresholds | None = None,
    metrics: Mapping[str, Any] | None = None,
    params: str = "p" * 64,
    data: str = "d" * 64,
    code: str = "c" * 64,
    sources: Mapping[str, Source] = SOURCES,
    corpus: str = "starter",
) -> str:
    """Write ``README.md`` and ``bundle/`` into ``folder`` and return the bundle's digest.

    Whatever is given otherwise gives another digest.
    """
    form = FORMATS[kind]
    digest = save_bundle(
        folder / "bundle",
        form,
        model=tiny_model(kind, extra),
        metrics=metrics or {"corpus": corpus, "headline": {"auc": 1.0, "mcc": 1.0}},
        golden=GOLDEN,
        thresholds=(thresholds or Thresholds(review=0.5, block=0.9)) if form.text_model else None,
        corpus=corpus,
        sources=sources,
        data=data,
        params=params,
        code=code,
    )
    (folder / "README.md").write_text(f"# careerlens-{kind}\n", encoding="utf-8")
    return digest
