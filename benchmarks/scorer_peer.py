"""The peer of benchmarks/scorer.py, run as a script in an environment of its own.

It imports nothing of this project: ``python scorer_peer.py < asked.json > figures.json``.
"""

import json
import statistics
import sys
import time

from profanity_check import predict_prob  # type: ignore[import-not-found]


def main() -> None:
    """Print messages a second of the processor in a batch, and milliseconds of one message."""
    asked = json.load(sys.stdin)
    predict_prob(asked["alone"])
    rates, taken = [], []
    for _ in range(asked["rounds"]):
        start = time.process_time()
        predict_prob(asked["texts"])
        rates.append(len(asked["texts"]) / (time.process_time() - start))
        for text in asked["alone"]:
            start = time.perf_counter()
            predict_prob([text])
            taken.append(1000 * (time.perf_counter() - start))
    figures = {
        "scores/s of a batch": statistics.median(rates),
        "ms of one message's scores": statistics.median(taken),
    }
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
