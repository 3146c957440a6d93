"""The peers of benchmarks/skills.py, run as a script in an environment of their own.

It imports nothing of this project: ``python benchmarks/skills_peers.py < asked.json > rates.json``.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

import ahocorasick  # type: ignore[import-not-found, unused-ignore]
import spacy  # type: ignore[import-not-found]
from spacy.matcher import PhraseMatcher  # type: ignore[import-not-found]


def main() -> None:
    """Print how many texts a second of the processor is enough for, by peer."""
    asked = json.load(sys.stdin)
    automaton = ahocorasick.Automaton()
    for spelling in asked["spellings"]:
        automaton.add_word(spelling, spelling)
    automaton.make_automaton()
    language = spacy.blank("en")
    matcher = PhraseMatcher(language.vocab, attr="LOWER")
    matcher.add("skill", [language.make_doc(spelling) for spelling in asked["spellings"]])
    peers: dict[str, Callable[[str], object]] = {
        "pyahocorasick alone": lambda text: list(automaton.iter(text.lower())),
        "spaCy PhraseMatcher": lambda text: matcher(language.make_doc(text)),
    }
    rates: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(asked["rounds"]):
        for name, call in peers.items():
            start = time.process_time()
            for text in asked["texts"]:
                call(text)
            rates[name].append(len(asked["texts"]) / (time.process_time() - start))
    json.dump({name: statistics.median(taken) for name, taken in rates.items()}, sys.stdout)


if __name__ == "__main__":
    main()
