"""The skills of texts of 200 words, beside pyahocorasick alone and spaCy's PhraseMatcher.

python -m benchmarks.skills [--postings data/clean/postings.jsonl] [--skills artifacts/skills/model]

The texts are the descriptions of the postings, cut after every 200 words. pyahocorasick alone looks
for the same spellings in the text in lower case, with no words, no places and no context, which is
less than anybody can use: it is how fast finding phrases can be in Python. PhraseMatcher looks for
them in tokens. Both run in an environment and a process of their own.

Times are those of the processor, so that what else the machine does counts little.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.peers import environment
from benchmarks.report import in_turn, machine, medians, plot_growth, show_reach, show_table
from models.compiling import compile_all
from models.postings import load_postings
from models.skill_finder import open_finder
from models.skill_model import load_skill_model
from models.taxonomy import spelling_table
from pipelines.stage import read_contents

OURS = "Careerlens"

#: Texts of 200 words in a second.
REACH = 10_000

WORDS = 200
#: Words of the texts whose cost is drawn.
LENGTHS = (50, 200, 1_000, 5_000)

_PEERS = ("pyahocorasick==2.3.1", "spacy==3.8.18")
_MOST_TEXTS = 1_500


def texts_of(postings: Path, words: int) -> Iterator[str]:
    """Yield texts of so many words, cut from all descriptions one after the other."""
    written: list[str] = []
    for posting in load_postings(postings):
        written += (posting.description or "").split(" ")
        while len(written) >= words:
            yield " ".join(written[:words])
            written = written[words:]


def rate(call: Callable[[str], object], texts: Sequence[str]) -> float:
    """Return how many texts a second of the processor is enough for."""
    start = time.process_time()
    for text in texts:
        call(text)
    return len(texts) / (time.process_time() - start)


def ask_peers(
    spellings: Sequence[str], texts: Sequence[str], rounds: int, folder: Path
) -> dict[str, float]:
    """Return the peers' rates by name."""
    answer = subprocess.run(
        [environment(folder / "skills", _PEERS), Path(__file__).with_name("skills_peers.py")],
        input=json.dumps({"spellings": spellings, "texts": texts, "rounds": rounds}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rates: dict[str, float] = json.loads(answer.stdout)
    return rates


def main() -> None:
    """Print the table, draw the plot, and fail if the rate is not what it shall be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--postings", type=Path, default=Path("data/clean/postings.jsonl"))
    parser.add_argument("--skills", type=Path, default=Path("artifacts/skills/model"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=Path, default=Path(".cache/peers"))
    parser.add_argument("--without-peers", action="store_true")
    args = parser.parse_args()

    print(machine())
    compile_all()
    matcher = load_skill_model(read_contents(args.skills), str(args.skills)).matcher
    spellings = sorted(spelling_table(matcher.taxonomy))
    texts = list(islice(texts_of(args.postings, WORDS), _MOST_TEXTS))
    found = np.mean([len(list(matcher.mentions(text))) for text in texts])
    print(f"{len(spellings):,} spellings; {len(texts):,} texts with {found:.1f} mentions each")
    rates = medians(
        in_turn(
            {
                OURS: partial(rate, matcher.extract, texts),
                "of which finding the spellings": partial(rate, open_finder(spellings).find, texts),
            },
            args.rounds,
        )
    )
    if not args.without_peers:
        rates |= ask_peers(spellings, texts, args.rounds, args.peers)
    show_table(
        ("skills of 200 words", "texts/s", "ours to it"),
        [(name, each, rates[OURS] / each) for name, each in rates.items()],
    )
    cost: dict[float, float] = {}
    for words in LENGTHS:
        some = list(islice(texts_of(args.postings, words), 200))
        if some:
            cost[words] = 1000.0 / rate(matcher.extract, some)
    plot_growth("skills", "words of a text", "ms", {OURS: cost})
    sys.exit(not show_reach("texts of 200 words a second", rates[OURS], REACH))


if __name__ == "__main__":
    main()
