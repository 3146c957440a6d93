"""Skills at the gate: tagged postings, or else skills that postings list, read by both models."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models import paired
from models.bundle import Bundle
from models.gates import Slice, flatten_metrics
from models.matching import Posting, load_postings
from models.paired import Floats
from models.params import EvaluateParams
from models.skill_model import SkillModel
from models.span_metrics import COUNTS
from models.tagger import TaggedText, tagged_texts
from pipelines.evaluate_skills import evaluate_listed, evaluate_spans
from pipelines.evidence_rows import Answered, EvidenceError, Given, digest_of, grouped, require
from pipelines.sentences import SCORED, read_sentences
from pipelines.skill_spans import layer_counts, markers


def see_postings(
    bundles: Sequence[Bundle[SkillModel]], data: Path, params: EvaluateParams
) -> tuple[Given, list[Answered]]:
    """Return the postings that no model learns from and what each model finds in them.

    They are those of the scored set that people tagged; where the corpus has none, all postings
    that list their skills beside a description.

    Raises
    ------
    EvidenceError
        If neither are there.
    """
    path = require(data / "clean" / "skill_sentences.jsonl")
    tagged = tagged_texts(read_sentences(path, SCORED))
    if tagged:
        given = Given(
            digest=digest_of(f"{each.text}\t{each.spans}" for each in tagged),
            texts=[each.text for each in tagged],
            wanted=[f"{len(each.spans)} spans" for each in tagged],
            notes=(f"{len(tagged):,} tagged postings of {path}, set {SCORED}",),
        )
        return given, [_spans_found(bundle, tagged, params) for bundle in bundles]
    path = require(data / "clean" / "postings.jsonl")
    listing = [each for each in load_postings(path) if each.description and each.skills]
    if not listing:
        raise EvidenceError(f"no posting of {path} lists skills beside a description")
    given = Given(
        digest=digest_of(posting.text for posting in listing),
        texts=[posting.description or "" for posting in listing],
        wanted=[", ".join(posting.skills) for posting in listing],
        notes=(f"{len(listing):,} postings of {path} that list their skills; none is tagged",),
    )
    return given, [_listed_found(bundle, listing, params) for bundle in bundles]


def _spans_found(
    bundle: Bundle[SkillModel], tagged: Sequence[TaggedText], params: EvaluateParams
) -> Answered:
    model = bundle.model
    counts = layer_counts(tagged, markers(model)["shipped"])
    gold, found, _, right, met = counts["both"].T
    metrics = evaluate_spans(model, tagged, params)
    once = np.ones((1, len(tagged)))
    quality = (right + met) / np.maximum(found + gold, 1.0)
    return Answered(
        metrics=metrics,
        figures=flatten_metrics(metrics),
        metric="partial_f1",
        main=_partial_f1(counts["both"]),
        # Finding nothing where there is nothing is as well as can be.
        quality=np.where(found + gold > 0, quality, 1.0),
        slices={
            f"layer/{layer}": Slice(int(marked), float(_partial_f1(of_layer)(once)[0]))
            for layer, of_layer in counts.items()
            if layer != "both" and (marked := of_layer[:, COUNTS.index("gold")].sum()) > 0
        },
        said=[
            f"{ours:.0f} of {marked:.0f} marked are right, {theirs:.0f} found"
            for ours, marked, theirs in zip(right, found, met, strict=True)
        ],
        answer=model.extract,
        scores=quality,
    )


def _partial_f1(counts: Floats) -> paired.Statistic:
    gold, found, _, right, met = counts.T
    return paired.f1(right, found, met, gold)


def _listed_found(
    bundle: Bundle[SkillModel], listing: Sequence[Posting], params: EvaluateParams
) -> Answered:
    model = bundle.model
    found = [
        {hit.name for hit in model.extract(posting.description or "") if hit.stated}
        for posting in listing
    ]
    listed = [
        {model.matcher.name_of(skill) or skill for skill in posting.skills} for posting in listing
    ]
    right, wanted = (
        np.array([len(names) for names in some], dtype=np.float64)
        for some in ([one & other for one, other in zip(listed, found, strict=True)], listed)
    )
    metrics = evaluate_listed(model, listing, params)
    families = grouped(posting.family or "" for posting in listing)
    return Answered(
        metrics=metrics,
        figures=flatten_metrics(metrics),
        metric="listed_recall",
        main=paired.ratio(right, wanted),
        quality=right / wanted,
        slices={
            f"family/{family}": Slice(len(rows), float(right[rows].sum() / wanted[rows].sum()))
            for family, rows in families
            if family
        },
        said=[
            f"misses {', '.join(sorted(names - others)) or 'none'}"
            for names, others in zip(listed, found, strict=True)
        ],
        answer=model.extract,
        scores=right / wanted,
    )
