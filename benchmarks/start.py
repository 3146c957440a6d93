"""Seconds until the service is ready, and until it ends, beside a BentoML service without work.

python -m benchmarks.start --hub file:hub

Each is started in turn, several times, and the medians are compared. A first start finds no copy of
the models on its disk: it brings them from the hub, verifies and loads them. A later one has them.
With --busy 2 two processes that never rest want the processors meanwhile: the service has to start
all the same, in no certain time.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import machine, show_reach
from benchmarks.service import running

#: How many seconds more than that of a service that does nothing a start may take.
REACH = {"first": 7.0, "later": 1.5}

_NOTHING = '''"""A service that does nothing."""

import bentoml


@bentoml.service
class Nothing:
    @bentoml.api
    def nothing(self, text: str) -> str:
        return text
'''


def seconds_of_nothing(folder: Path) -> dict[str, float]:
    """Return the seconds until a service that does nothing is ready, and until it has ended."""
    (folder / "nothing.py").write_text(_NOTHING, encoding="utf-8")
    with running("nothing:Nothing", folder=folder) as service:
        return {"ready": service.wait("/readyz"), "ended": service.stop()}


def seconds_of_ours(hub: str, cache: Path) -> dict[str, float]:
    """Return the seconds until the service lives, and is ready, and then until it has ended."""
    with running(CAREERLENS_HUB=hub, CAREERLENS_CACHE=str(cache)) as service:
        return {
            "alive": service.wait("/livez"),
            "ready": service.wait("/readyz"),
            "ended": service.stop(),
        }


@contextmanager
def others(number: int) -> Iterator[None]:
    """Have processes that never rest."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(number)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure(hub: str, starts: int) -> dict[tuple[str, str], list[float]]:
    """Return the seconds of each start and end, by its sort and what was waited for."""
    found: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="careerlens-benchmark-") as home:
        seconds_of_nothing(Path(home))  # the first one pays for what the disk has not read yet
        for number in range(starts):
            cache = Path(home) / f"cache-{number}"
            for sort, seconds in (
                ("nothing", seconds_of_nothing(Path(home))),
                ("first", seconds_of_ours(hub, cache)),
                ("later", seconds_of_ours(hub, cache)),
            ):
                for what, passed in seconds.items():
                    found.setdefault((sort, what), []).append(passed)
    return found


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.start", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--hub", default="file:hub", help="what the service answers from")
    parser.add_argument("--starts", type=int, default=5, help="of each sort")
    parser.add_argument("--busy", type=int, default=0, help="processes that never rest beside it")
    args = parser.parse_args()
    print(machine(), end="\n\n")
    with others(args.busy):
        found = measure(args.hub, args.starts)
    median = {name: statistics.median(seconds) for name, seconds in found.items()}
    # It says that it is ready as soon as it says that it lives.
    nothing = {what: median["nothing", what] for what in ("ready", "ended")}
    nothing["alive"] = nothing["ready"]
    print(f"{'seconds':22}{'median':>8}{'least':>8}{'most':>8}{'beyond nothing':>16}")
    for (sort, what), seconds in found.items():
        print(
            f"{sort + ' start, ' + what:22}{median[sort, what]:8.2f}{min(seconds):8.2f}"
            f"{max(seconds):8.2f}{median[sort, what] - nothing[what]:16.2f}"
        )
    print()
    if args.busy:
        return
    checks = [
        show_reach(
            f"seconds of a {sort} start beyond nothing",
            median[sort, "ready"] - nothing["ready"],
            reach,
            at_most=True,
        )
        for sort, reach in REACH.items()
    ]
    sys.exit(0 if all(checks) else 1)


if __name__ == "__main__":
    main()
