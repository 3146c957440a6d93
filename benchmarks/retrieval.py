"""Precision of job recommendation for real resumes, against plain TF-IDF and against chance.

python -m benchmarks.retrieval --datasets FOLDER --patterns title_patterns.yaml

A posting is a hit if its title matches the pattern of the resume's category. Nothing in
models/matching.py was chosen on these resumes.
"""

import argparse
import csv
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import numpy as np
import yaml
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from models.job_index import best
from models.matching import IndexParams, JobIndex, Posting, build_index
from models.skills import SkillMatcher, importance, load_taxonomy

TOP_K = 10
RESAMPLES = 2_000


@dataclass(frozen=True)
class Category:
    """Resumes of one category and the titles that answer them."""

    name: str
    pattern: re.Pattern[str]
    resumes: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """Precision among the first ten and reciprocal rank of the first hit, one each a resume."""

    precision: list[float]
    reciprocal: list[float]


def read_postings(datasets: Path) -> Iterator[Posting]:
    """Yield the public postings, without those whose text was there before."""
    seen: set[str] = set()
    for number, posting in enumerate(_all_postings(datasets)):
        key = " ".join(re.findall(r"\w+", posting.text.lower()))
        if key not in seen:
            seen.add(key)
            yield posting.model_copy(update={"id": str(number)})


def read_categories(datasets: Path, patterns: Path) -> list[Category]:
    """Return the categories of the pattern file with their unique resumes."""
    resumes: dict[str, dict[str, None]] = {}
    for row in _rows(datasets / "resume_categories" / "UpdatedResumeDataSet.csv"):
        resumes.setdefault(row["Category"], {})[row["Resume"]] = None
    return [
        Category(entry["category"], re.compile(entry["title"]), tuple(resumes[entry["category"]]))
        for entry in yaml.safe_load(patterns.read_text("utf-8"))["categories"]
    ]


def plain_ranking(postings: Sequence[Posting]) -> Callable[[str], list[str]]:
    """Return the ranking of scikit-learn's TF-IDF without English stop words, by cosine."""
    vectoriser = TfidfVectorizer(stop_words="english")
    matrix = vectoriser.fit_transform(posting.text for posting in postings)

    def rank(resume: str) -> list[str]:
        scores = csr_matrix(vectoriser.transform([resume]) @ matrix.T).toarray().ravel()
        return [postings[row].title for row in best(scores, TOP_K)]

    return rank


def index_ranking(index: JobIndex, matcher: SkillMatcher) -> Callable[[str], list[str]]:
    """Return the ranking of the job index."""

    def rank(resume: str) -> list[str]:
        jobs = index.recommend(resume, matcher.extract(resume), TOP_K)
        return [job.posting.title for job in jobs]

    return rank


def measure(category: Category, rank: Callable[[str], list[str]]) -> Outcome:
    """Return how well ``rank`` answers the resumes of ``category``."""
    outcome = Outcome([], [])
    for resume in category.resumes:
        hits = [bool(category.pattern.search(title.lower())) for title in rank(resume)]
        outcome.precision.append(sum(hits) / TOP_K)
        outcome.reciprocal.append(1.0 / (hits.index(True) + 1) if any(hits) else 0.0)
    return outcome


def interval(samples: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of means, resampling within each sample."""
    rng = np.random.default_rng(0)
    means = np.mean(
        [
            rng.choice(np.asarray(sample), size=(RESAMPLES, len(sample))).mean(axis=1)
            for sample in samples
        ],
        axis=0,
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def median_milliseconds(call: Callable[[str], object], texts: Sequence[str]) -> float:
    """Return the median time of one call."""
    times = []
    for text in texts:
        start = time.perf_counter()
        call(text)
        times.append(time.perf_counter() - start)
    return 1000 * median(times)


def _all_postings(datasets: Path) -> Iterator[Posting]:
    with (datasets / "dice_jobs" / "dice_com-job_us_sample.csv").open(encoding="utf-8") as file:
        for row in list(csv.reader(file))[1:]:
            skills = tuple(part.strip() for part in row[2].split(",") if part.strip())
            yield Posting(id="-", title=row[1] or "-", skills=skills, source="dice")
    for entry in _rows(datasets / "google_jobs" / "job_skills.csv"):
        columns = ("Responsibilities", "Minimum Qualifications", "Preferred Qualifications")
        yield Posting(
            id="-",
            title=entry["Title"] or "-",
            company=entry["Company"],
            location=entry["Location"],
            description="\n".join(f"{column}:\n{entry[column]}" for column in columns),
            source="google",
        )
    for entry in _rows(datasets / "glassdoor_jobs" / "glassdoor_jobs.csv"):
        yield Posting(
            id="-",
            title=entry["Job Title"],
            company=entry["Company Name"].partition("\n")[0],
            location=entry["Location"],
            description=entry["Job Description"],
            source="glassdoor",
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--datasets", type=Path, required=True)
    parser.add_argument("--patterns", type=Path, required=True)
    parser.add_argument("--taxonomy", type=Path, default=Path("data/taxonomy/skills.csv"))
    parser.add_argument("--min-df", type=int, default=3)
    args = parser.parse_args()

    postings = list(read_postings(args.datasets))
    categories = read_categories(args.datasets, args.patterns)
    matcher = SkillMatcher(load_taxonomy(args.taxonomy))
    start = time.perf_counter()
    index = build_index(postings, matcher, importance, params=IndexParams(min_df=args.min_df))
    index.warm_up()
    built = time.perf_counter() - start
    rankings = {"plain": plain_ranking(postings), "index": index_ranking(index, matcher)}
    outcomes = {
        name: [measure(category, rank) for category in categories]
        for name, rank in rankings.items()
    }

    print(
        f"{len(postings)} postings, {len(index.entries)} after collapsing; built in {built:.0f} s"
    )
    print(f"{'category':28}{'resumes':>8}{'random':>8}{'plain':>8}{'index':>8}")
    chance = []
    for place, category in enumerate(categories):
        share = fmean([bool(category.pattern.search(job.title.lower())) for job in postings])
        chance.append(share)
        cells = [fmean(outcomes[name][place].precision) for name in rankings]
        row = "".join(f"{cell:8.3f}" for cell in (share, *cells))
        print(f"{category.name:28}{len(category.resumes):8}{row}")
    averages = [[fmean(one.precision) for one in outcomes[name]] for name in rankings]
    row = "".join(f"{np.mean(cells):8.3f}" for cells in (chance, *averages))
    print(f"{'average of precision@10':36}{row}")
    for name, measured in outcomes.items():
        low, high = interval([one.precision for one in measured])
        rank = fmean([fmean(one.reciprocal) for one in measured])
        print(f"{name}: precision@10 in [{low:.3f}, {high:.3f}], MRR {rank:.3f}")
    texts = [resume for category in categories for resume in category.resumes]
    print(f"index: {median_milliseconds(rankings['index'], texts):.1f} ms for a resume, p50")


if __name__ == "__main__":
    main()
