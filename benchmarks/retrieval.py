"""Precision of job recommendation against plain TF-IDF and chance, and how long it takes.

python -m benchmarks.retrieval --postings data/clean/postings.jsonl \
    --resumes data/clean/resumes.jsonl --skills artifacts/skills/model \
    --index artifacts/matching/model

The table is the one of the stage evaluate_matching, from the same functions on the same files.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.matching import load_index, load_postings
from models.params import load_params
from models.skill_model import load_skill_model
from pipelines.evaluate_matching import ask, resume_questions
from pipelines.questions import read_categories
from pipelines.retrieval import TOP_K, Measured
from pipelines.stage import read_contents, read_lines

#: Each call is timed so often, and its fastest run counts, so that other processes do not.
RUNS = 3


def milliseconds(call: Callable[[str], object], texts: Sequence[str]) -> str:
    """Return the 50th and 99th percentile of the time of one call."""
    times = []
    for text in texts:
        spent = []
        for _ in range(RUNS):
            start = time.perf_counter()
            call(text)
            spent.append(time.perf_counter() - start)
        times.append(1000 * min(spent))
    return "p50 {:.1f} ms, p99 {:.1f} ms".format(*np.percentile(times, [50, 99]))


def print_table(measured: Measured) -> None:
    """Print precision by group and on average, then the average reciprocal ranks."""
    params = load_params().evaluate
    names = ("random", "plain_tfidf", "index")
    print(f"{'precision at 10':28}{'asked':>6}" + "".join(f"{name:>13}" for name in names))
    for group, rows in measured.groups.items():
        cells = (measured.outcomes[name][rows, 0].mean() for name in names)
        print(f"{group:28}{len(rows):6}" + "".join(f"{cell:13.3f}" for cell in cells))
    figures = {name: measured.figures(name, params) for name in names}
    for measure in figures["index"]:
        print(f"average of {measure}")
        for name in names:
            figure = figures[name][measure]
            print(f"  {name:12} {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]")


def main() -> None:
    """Print the table and the times."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("postings", "resumes", "skills", "index"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--categories", type=Path, default=Path("data/retrieval/categories.yaml"))
    args = parser.parse_args()

    postings = load_postings(args.postings)
    skills = load_skill_model(read_contents(args.skills), str(args.skills))
    index = load_index(read_contents(args.index), str(args.index))
    index.warm_up()
    categories = read_categories(args.categories)
    questions = resume_questions(read_lines(args.resumes), postings, categories)
    print(f"{len(postings):,} postings, {len(index.entries):,} without repetitions")
    print_table(ask(questions, postings, index, skills))

    texts = [question.text for question in questions]
    hits = {text: skills.matcher.extract(text) for text in texts}
    found = milliseconds(lambda text: index.recommend(text, hits[text], TOP_K), texts)
    print(f"recommend: {found}")
    print(f"extract:   {milliseconds(skills.matcher.extract, texts)}")


if __name__ == "__main__":
    main()
