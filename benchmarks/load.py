"""What the service does with twice the traffic that it can take.

python -m benchmarks.load --hub file:hub

It starts the service, finds the rate of mixed traffic that it sustains, sends twice as much for
half a minute, and prints what became of it. All processes of the service share one core, and the
sender has another one, so that the two do not take each other's time.
"""

import argparse
import asyncio
import gc
import os
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np

from benchmarks.service import Service, running
from benchmarks.traffic import MIX, Corpus, Outcome, Traffic

#: p99 of accepted messages under the load may be so many times that of an idle service.
REACH = 5.0

#: Share of requests that a sustainable rate answers at least.
SUSTAINED = 0.99

#: The service's memory may be so many times what it is after the first five seconds of the load.
MEMORY_REACH = 1.2

#: Messages of which the p99 of an idle service is told, and the seconds that they may take in all.
IDLE = (4_000, 15.0)

_REFUSED = (429, 503)


def percentile(outcomes: Sequence[Outcome], share: float) -> float:
    """Return a percentile of the milliseconds until accepted requests were answered."""
    accepted = [1000 * outcome.seconds for outcome in outcomes if outcome.status == 200]
    return float(np.percentile(accepted, share)) if accepted else float("nan")


def of_route(outcomes: Sequence[Outcome], route: str) -> list[Outcome]:
    """Return the requests of one route."""
    return [outcome for outcome in outcomes if outcome.route == route]


def accepted(outcomes: Sequence[Outcome]) -> float:
    """Return the share that was answered, and not refused."""
    return sum(outcome.status is not None and outcome.status < 300 for outcome in outcomes) / len(
        outcomes
    )


async def find_rate(traffic: Traffic) -> float:
    """Return the rate of mixed traffic, in requests a second, that is answered all but in full."""
    seconds = 5.0
    closed = await traffic.in_turn(4, seconds)
    rate = sum(outcome.status is not None and outcome.status < 300 for outcome in closed) / seconds
    print(f"four callers in turn: {rate:.0f} requests/s")
    while rate > 1:
        rate *= 0.9
        share = accepted(await traffic.at_rate(rate, seconds))
        print(f"at {rate:.0f}/s: {share:.1%} answered")
        if share >= SUSTAINED:
            return rate
    sys.exit("the service sustains not even one request a second")


def print_table(outcomes: Sequence[Outcome]) -> None:
    """Print what became of the requests, by route."""
    columns = ("route", "sent", "answered", "429", "503", "other", "lost", "p50 ms", "p99 ms")
    print(f"{columns[0]:18}" + "".join(f"{column:>10}" for column in columns[1:]))
    for route in [*sorted({outcome.route for outcome in outcomes}), "all"]:
        rows = list(outcomes) if route == "all" else of_route(outcomes, route)
        count = Counter(outcome.status for outcome in rows)
        answered = sum(number for status, number in count.items() if status in (200, 201, 202))
        others = len(rows) - answered - count[429] - count[503] - count[None]
        figures = (len(rows), answered, count[429], count[503], others, count[None])
        print(
            f"{route:18}"
            + "".join(f"{figure:10}" for figure in figures)
            + f"{percentile(rows, 50):10.1f}{percentile(rows, 99):10.1f}"
        )


async def measure(service: Service, seconds: float, rate: float | None) -> bool:
    """Print all figures; return whether what is to be reached was reached."""
    corpus = Corpus()
    traffic = Traffic(service.address, MIX, corpus)
    await traffic.in_turn(4, 2.0)  # the first requests of a kind pay for what is made once
    idle = await traffic.alone(*IDLE)
    rate = rate or await find_rate(traffic)
    memory: list[int] = []
    print(f"sending {2 * rate:.0f}/s for {seconds:g} s, twice what is sustained\n")
    outcomes = await traffic.at_rate(
        2 * rate, seconds, lambda: memory.append(service.resident_bytes())
    )
    print_table(outcomes)
    messages = of_route(outcomes, "/moderate")
    ratio = percentile(messages, 99) / percentile(idle, 99)
    statuses = {outcome.status for outcome in outcomes}
    early = max(memory[:5])
    checks = {
        f"p99 of accepted /moderate {percentile(messages, 99):.1f} ms is {ratio:.1f} times the "
        f"{percentile(idle, 99):.1f} ms of an idle service ({len(idle)} messages, p50 "
        f"{percentile(idle, 50):.1f} ms); "
        f"{REACH:g} at most": ratio <= REACH,
        "every request was answered or refused with 429 or 503": statuses
        <= {200, 201, 202, *_REFUSED},
        f"memory of all processes: {early / 2**20:.0f} MiB after five seconds, at most "
        f"{max(memory) / 2**20:.0f}, {memory[-1] / 2**20:.0f} at the end": max(memory)
        <= MEMORY_REACH * early,
    }
    print()
    for sentence, holds in checks.items():
        print(("holds  " if holds else "FAILS  ") + sentence)
    return all(checks.values())


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--hub", default="file:hub", help="what the service answers from")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, help="sustained, if it is known")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    client, server = ({cores[0]}, {cores[-1]}) if len(cores) > 1 else (None, None)
    with running(cores=server, CAREERLENS_HUB=args.hub, CAREERLENS_LOG_LEVEL="warning") as service:
        service.wait("/readyz")
        if client is not None:
            os.sched_setaffinity(0, client)
        # The sender's own pauses would count as the service's: of 125 ms and more, here.
        gc.disable()
        is_reached = asyncio.run(measure(service, args.seconds, args.rate))
    sys.exit(0 if is_reached else 1)


if __name__ == "__main__":
    main()
