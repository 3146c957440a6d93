"""Skill spans by taxonomy, by tagger and by both, in cross-validation over postings.

python -m benchmarks.skill_spans --datasets FOLDER

Only the part of SkillSpan for training is read. No posting is split over folds, and the classes of
words are learnt without the postings held out, so that each fold is what a new posting will be.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from models.params import load_params
from models.skill_matcher import SkillMatcher
from models.span_metrics import Place, span_figures
from models.tagger import (
    LABELS,
    Label,
    TaggedSentence,
    TaggedSpan,
    TaggedText,
    fit_tagger,
    tagged_texts,
)
from models.tagger_files import dump_tagger
from models.taxonomy import load_taxonomy

#: What is scored: both labels without telling them apart, and each alone.
VIEWS: Mapping[str, tuple[Label, ...]] = {
    "both": LABELS,
    "skill": LABELS[:1],
    "knowledge": LABELS[1:],
}

#: Characters of a page, for the time of one.
PAGE = 3_000

Marked = Sequence[TaggedSpan]


def read_sentences(datasets: Path) -> list[TaggedSentence]:
    """Return the sentences of SkillSpan that may be learnt from."""
    with (datasets / "skillspan" / "train.json").open(encoding="utf-8") as lines:
        return [
            TaggedSentence(
                str(row["idx"]),
                tuple(row["tokens"]),
                tuple(row["tags_skill"]),
                tuple(row["tags_knowledge"]),
            )
            for row in map(json.loads, lines)
        ]


def read_postings(datasets: Path) -> Iterator[str]:
    """Yield plain postings, each once."""
    seen: set[str] = set()
    for name, columns in (
        (
            "google_jobs/job_skills.csv",
            ("Responsibilities", "Minimum Qualifications", "Preferred Qualifications"),
        ),
        ("glassdoor_jobs/glassdoor_jobs.csv", ("Job Description",)),
    ):
        with (datasets / name).open(encoding="utf-8", newline="") as table:
            for row in csv.DictReader(table):
                text = "\n".join(row[column] for column in columns)
                if text not in seen:
                    seen.add(text)
                    yield text


def mentions(matcher: SkillMatcher, text: str) -> list[TaggedSpan]:
    """Return what the taxonomy finds; its traits are what people do, all else what they know."""
    return [
        TaggedSpan(start, end, "skill" if skill.category == "soft" else "knowledge")
        for skill, start, end in matcher.mentions(text)
    ]


def joined(tagged: Marked, mentioned: Marked) -> list[TaggedSpan]:
    """Return the spans of the tagger, and those of the taxonomy where it is silent."""
    return [
        *tagged,
        *(
            mention
            for mention in mentioned
            if not any(span.start < mention.end and mention.start < span.end for span in tagged)
        ),
    ]


def places(spans: Iterable[TaggedSpan], labels: Sequence[Label]) -> set[Place]:
    """Return where the spans of ``labels`` stand."""
    return {(span.start, span.end) for span in spans if span.label in labels}


def show(name: str, texts: Sequence[TaggedText], found: Sequence[Marked]) -> None:
    """Print precision, recall and F1 with its interval, strict and partial, of each view."""
    for view, labels in VIEWS.items():
        figures = span_figures(
            [places(text.spans, labels) for text in texts],
            [places(spans, labels) for spans in found],
            resamples=1_000,
            seed=0,
        )
        cells = []
        for kind in ("strict", "partial"):
            f1 = figures[f"{kind}_f1"]
            shares = (figures[f"{kind}_{share}"].value for share in ("precision", "recall"))
            row = "".join(f"{share:7.3f}" for share in shares)
            cells.append(f"{row}{f1.value:7.3f} [{f1.low:.3f}, {f1.high:.3f}]")
        print(f"{name:10}{view:10}" + "".join(cells))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--datasets", type=Path, required=True)
    parser.add_argument("--taxonomy", type=Path, default=Path("data/taxonomy/skills.csv"))
    parser.add_argument("--folds", type=int, default=5)
    args = parser.parse_args()

    matcher = SkillMatcher(load_taxonomy(args.taxonomy))
    params = load_params().skills.tagger
    sentences = read_sentences(args.datasets)
    postings = list(read_postings(args.datasets))
    order = {posting: n for n, posting in enumerate(dict.fromkeys(s.posting for s in sentences))}
    texts: list[TaggedText] = []
    found: dict[str, list[Marked]] = {"taxonomy": [], "tagger": [], "joined": []}
    spent = 0.0
    for fold in range(args.folds):
        held_out = [s for s in sentences if order[s.posting] % args.folds == fold]
        learnt_from = [s for s in sentences if order[s.posting] % args.folds != fold]
        tagger = fit_tagger(learnt_from, matcher, params, postings)
        for text in tagged_texts(held_out):
            start = time.process_time()
            tagged = tagger.tag(text.text)
            spent += time.process_time() - start
            mentioned = mentions(matcher, text.text)
            texts.append(text)
            found["taxonomy"].append(mentioned)
            found["tagger"].append(tagged)
            found["joined"].append(joined(tagged, mentioned))

    print(f"{len(texts)} postings in {args.folds} folds; {params!r}")
    one = "".join(f"{name:>7}" for name in ("P", "R", "F1")) + f"{'95 %':>15}"
    print(f"{'':20}{'strict':40}partial\n{'':20}{one}{one}")
    for name, spans in found.items():
        show(name, texts, spans)
    size = sum(map(len, dump_tagger(tagger).values()))
    pages = sum(len(text.text) for text in texts) / PAGE
    print(f"{size / 1e6:.1f} MB; {1000 * spent / pages:.1f} ms of CPU for {PAGE:,} characters")


if __name__ == "__main__":
    main()
