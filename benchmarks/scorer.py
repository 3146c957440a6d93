"""Scores and verdicts of both text models in process, beside their scikit-learn pipelines.

python -m benchmarks.scorer [--hub file:hub]

The messages are the starter corpus, which the models learnt. The same bundles are loaded in their
compiled form and as scikit-learn's pipelines; alt-profanity-check, which has one model and no
cleaning, answers in an environment and a process of its own. A verdict is a message's whole one,
with language, categories and spans.

Rates are those of one core, by the processor's time, so that what else the machine does counts
little.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, environment
from benchmarks.report import in_turn, machine, medians, plot_growth, show_reach, show_table
from benchmarks.seed_design import STARTER
from models.bundle import Bundle, load_bundle
from models.compiled_bundle import load_text_bundle
from models.compiling import compile_all
from models.formats import format_of
from models.hub import MAIN, Hub
from models.manifest import Kind
from models.moderation import Moderator, ServedModel
from models.params import load_params
from models.text import MAX_CHARS
from models.text_scorers import open_scorer
from pipelines.champions import add_hub, fetch, repo_of

OURS, PIPELINES, PEER = "Careerlens", "scikit-learn's pipelines", "alt-profanity-check"

#: Messages a second, and in those of scikit-learn.
REACH_BATCH, REACH_BATCH_RATIO = 150_000, 30.0
#: Milliseconds of one verdict, in which scikit-learn's makes so many; of the longest message; how
#: many times as long that may take as one a tenth as long.
REACH_VERDICT, REACH_VERDICT_RATIO, REACH_LONGEST, REACH_GROWTH = 0.05, 25.0, 20.0, 12.0

#: Characters of a message, and messages of a batch, whose cost is drawn.
LENGTHS = (100, 1_000, 10_000, MAX_CHARS)
COUNTS = (1, 10, 100, 1_000, 10_000)

#: Messages that are asked one by one, of all of them.
_ALONE = 200

Ask = Callable[[Sequence[str]], object]


class Way:
    """The same two bundles, loaded in one of the ways.

    Parameters
    ----------
    spam, toxicity : Bundle
    """

    def __init__(self, spam: Bundle[Any], toxicity: Bundle[Any]) -> None:
        self.scores: Ask = open_scorer([spam.model, toxicity.model]).scores
        self.verdicts: Ask = Moderator(served(spam), served(toxicity)).moderate


def served(bundle: Bundle[Any]) -> ServedModel:
    """Return a bundle as a service has it."""
    assert bundle.manifest.thresholds is not None  # a text model's bundle does not load without
    return ServedModel(bundle, "v1", bundle.manifest.thresholds)


def load(hub: Hub, load_one: Callable[[Path, Kind], Bundle[Any]]) -> Way:
    """Return the hub's champions, loaded in one way."""
    params = load_params(Path("params.yaml"))
    folders = {
        kind: fetch(hub, repo_of(params, kind), MAIN).path / "bundle"
        for kind in ("spam", "toxicity")
    }
    return Way(*(load_one(folder, kind) for kind, folder in folders.items()))  # type: ignore[arg-type]


def rate(ask: Ask, texts: Sequence[str]) -> float:
    """Return how many messages of one batch a second of the processor is enough for."""
    start = time.process_time()
    ask(texts)
    return len(texts) / (time.process_time() - start)


def alone(ask: Ask, texts: Sequence[str]) -> float:
    """Return the median of the milliseconds that one message takes."""
    taken = []
    for text in texts:
        start = time.perf_counter()
        ask([text])
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def milliseconds(ask: Ask, texts: Sequence[str], rounds: int) -> float:
    """Return the median of what a batch takes."""
    return statistics.median(1000 * len(texts) / rate(ask, texts) for _ in range(rounds))


def message_of(texts: Sequence[str], length: int) -> str:
    """Return a message of some length, made of others."""
    one = " ".join(texts)
    return (one * (length // len(one) + 1))[:length]


def ask_peer(texts: Sequence[str], rounds: int, folder: Path) -> dict[str, float]:
    """Return the peer's rate of a batch, and its milliseconds for one message."""
    answer = subprocess.run(
        [
            environment(folder / PEER, [PEERS[PEER]]),
            Path(__file__).with_name("scorer_peer.py"),
        ],
        input=json.dumps({"texts": texts, "alone": texts[:_ALONE], "rounds": rounds}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def main() -> None:
    """Print the tables, draw the plots, and fail where a figure is not what it shall be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scorer", description=__doc__.partition("\n")[0]
    )
    add_hub(parser)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=Path, default=Path(".cache/peers"))
    parser.add_argument("--without-peers", action="store_true")
    args = parser.parse_args()

    print(machine(), end="\n\n")
    compile_all()
    with STARTER.open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    print(f"{len(texts):,} messages, median {statistics.median(map(len, texts)):.0f} characters\n")
    ours = load(args.hub, load_text_bundle)
    theirs = load(args.hub, lambda folder, kind: load_bundle(folder, format_of(kind)))
    few = texts[:: len(texts) // _ALONE][:_ALONE]
    for way in (ours, theirs):
        way.verdicts(few)  # the first call pays for what is made once
    measures: dict[str, dict[str, Callable[[], float]]] = {
        "scores/s of a batch": {
            OURS: partial(rate, ours.scores, texts),
            PIPELINES: partial(rate, theirs.scores, texts),
        },
        "verdicts/s of a batch": {
            OURS: partial(rate, ours.verdicts, texts),
            PIPELINES: partial(rate, theirs.verdicts, texts),
        },
        "ms of one message's scores": {
            OURS: partial(alone, ours.scores, few),
            PIPELINES: partial(alone, theirs.scores, few),
        },
        "ms of one message's verdict": {
            OURS: partial(alone, ours.verdicts, few),
            PIPELINES: partial(alone, theirs.verdicts, few),
        },
    }
    figures = {what: medians(in_turn(each, args.rounds)) for what, each in measures.items()}
    if not args.without_peers:
        for what, figure in ask_peer(texts, args.rounds, args.peers).items():
            figures[what][PEER] = figure
    faster = {
        what: {
            name: each[OURS] / figure if what.endswith("batch") else figure / each[OURS]
            for name, figure in each.items()
        }
        for what, each in figures.items()
    }
    show_table(
        ("both models", "of", "figure", "ours is so many times as fast"),
        [
            (what, name, figure, faster[what][name])
            for what, each in figures.items()
            for name, figure in each.items()
        ],
    )
    print()
    lengths: dict[float, float] = {
        length: milliseconds(ours.verdicts, [message_of(texts, length)], args.rounds)
        for length in LENGTHS
    }
    counts: dict[float, float] = {
        count: milliseconds(ours.scores, (texts * (count // len(texts) + 1))[:count], args.rounds)
        for count in COUNTS
    }
    show_table(
        ("cost", "size", "ms", "microseconds each"),
        [
            (what, f"{size:,.0f}", cost, 1000 * cost / size)
            for what, costs in (("verdict by characters", lengths), ("scores by messages", counts))
            for size, cost in costs.items()
        ],
    )
    print()
    plot_growth("scorer-length", "characters of a message", "ms of a verdict", {OURS: lengths})
    plot_growth("scorer-batch", "messages of a batch", "ms of their scores", {OURS: counts})
    batch, verdict = "scores/s of a batch", "ms of one message's verdict"
    checks = (
        show_reach("messages a second on one core", figures[batch][OURS], REACH_BATCH),
        show_reach("times those of scikit-learn", faster[batch][PIPELINES], REACH_BATCH_RATIO),
        show_reach("ms of one verdict", figures[verdict][OURS], REACH_VERDICT, at_most=True),
        show_reach("of it in scikit-learn's", faster[verdict][PIPELINES], REACH_VERDICT_RATIO),
        show_reach("ms of the longest message", lengths[MAX_CHARS], REACH_LONGEST, at_most=True),
        show_reach(
            "times as long as a tenth of it",
            lengths[MAX_CHARS] / lengths[MAX_CHARS // 10],
            REACH_GROWTH,
            at_most=True,
        ),
    )
    sys.exit(0 if all(checks) else 1)


if __name__ == "__main__":
    main()
