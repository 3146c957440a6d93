"""POST /moderate beside services that do nothing, and beside the design of seed_design.py.

python -m benchmarks.moderate --hub file:hub

Each service is one process on one core, asked by wrk from another: one thread, sixteen connections,
about 100 bytes of JSON, no message twice. Ours is asked with an API key, under limits that are
counted in the process. wrk is Debian's: ``apt-get install wrk``.
"""

import argparse
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.report import in_turn, machine, medians, plot_growth, show_reach, show_table
from benchmarks.seed_design import STARTER
from benchmarks.seed_design import fit as fit_seed
from benchmarks.service import ROOT, Service, running, started

OURS = "Careerlens"
SEED = "the seed's design"
STARLETTE = "Starlette, no-op"
FASTAPI = "FastAPI, no-op"
BENTOML = "BentoML, no-op"

#: Of Starlette's requests a second; of the seed's; milliseconds.
REACH_STARLETTE, REACH_SEED, REACH_P99 = 0.5, 15.0, 10.0

#: Characters of the messages whose cost is drawn.
LENGTHS = (100, 1_000, 10_000)

_CONNECTIONS = 16
_UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")

_SCRIPT = """
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local number = tonumber(os.getenv("FIRST"))
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-API-Key"] = os.getenv("KEY")
request = function()
    number = number + 1
    local body = bodies[number % #bodies + 1] .. string.format("%d\\"}", number)
    return wrk.format(nil, nil, nil, body)
end
done = function(summary, latency)
    local failed = summary.errors
    io.write(string.format(
        '\\n{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}\\n',
        summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        failed.status + failed.connect + failed.read + failed.write + failed.timeout))
end
"""


@dataclass(frozen=True)
class Figures:
    """What wrk saw: requests answered in a second, and milliseconds."""

    rate: float
    p50: float
    p99: float


class Wrk:
    """Asks services with messages of one length.

    Parameters
    ----------
    folder : Path
        For its files.
    key : str
        An API key, which all services get and ours reads.
    core : int or None
        The one that it may use.
    """

    def __init__(self, folder: Path, key: str, core: int | None, seconds: float) -> None:
        self._script = folder / "moderate.lua"
        self._script.write_text(_SCRIPT, encoding="utf-8")
        self._folder = folder
        self._key = key
        self._pin = [] if core is None else ["taskset", "--cpu-list", str(core)]
        self._seconds = seconds

    def ask(self, service: Service, length: int) -> Figures:
        """Ask for some seconds, and say how it went."""
        bodies = self._folder / f"bodies-{length}.txt"
        if not bodies.exists():
            bodies.write_text("\n".join(_bodies(length)), encoding="utf-8")
        first = str(random.randrange(10**9, 10**12))  # no message that any run had before
        done = subprocess.run(
            [
                *self._pin,
                *("wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{self._seconds:g}s", "-s", self._script),
                f"{service.address}/moderate",
            ],
            env={**os.environ, "BODIES": str(bodies), "FIRST": first, "KEY": self._key},
            capture_output=True,
            text=True,
            check=True,
        )
        seen = json.loads(done.stdout.splitlines()[-1])
        if seen["failed"] or not seen["requests"]:
            sys.exit(f"{service.address} failed {seen['failed']} of {seen['requests']} requests")
        return Figures(seen["requests"] / seen["seconds"], seen["p50"], seen["p99"])


def _bodies(length: int) -> Iterator[str]:
    """Yield JSON of starter messages, up to where a number and the end follow."""
    with STARTER.open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    for place in range(len(texts)):
        text = texts[place]
        while len(text) < length - 15:
            place += 1
            text += " " + texts[place % len(texts)]
        yield json.dumps({"text": text[: length - 15] + " "}).removesuffix('"}')


@contextmanager
def _services(hub: str, folder: Path, core: int | None) -> Iterator[tuple[dict[str, Service], str]]:
    """Run every service, and return them with an API key of ours."""
    keys = {"CAREERLENS_KEYS_FILE": str(folder / "keys.json")}
    made = subprocess.run(
        [sys.executable, "-m", "serving.keys", "create", "wrk", "--scopes", "moderate"],
        cwd=ROOT,
        env={**os.environ, **keys},
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {
        **keys,
        "CAREERLENS_HUB": hub,
        "CAREERLENS_LIMIT_MODERATE": "1000000000/minute",
        "CAREERLENS_LIMIT_ADDRESS": "1000000000/minute",
        "CAREERLENS_LOG_LEVEL": "warning",
    }
    fit_seed(folder / "seed")
    cores = None if core is None else {core}
    uvicorn = (sys.executable, "-m", "uvicorn", *_UVICORN)
    with ExitStack() as stack:
        services = {
            name: stack.enter_context(service)
            for name, service in {
                OURS: running(cores=cores, **ours),
                STARLETTE: started([*uvicorn, "benchmarks.noop:starlette"], cores=cores),
                FASTAPI: started([*uvicorn, "benchmarks.noop:fastapi"], cores=cores),
                BENTOML: running("benchmarks.noop:Nothing", cores=cores),
                SEED: started(
                    [*uvicorn, "benchmarks.seed_design:app"],
                    cores=cores,
                    SEED_MODELS=str(folder / "seed"),
                ),
            }.items()
        }
        for name, service in services.items():
            service.wait("/openapi.json" if name in (FASTAPI, SEED) else "/readyz")
        yield services, made.stdout.split()[-1]


def show(seen: Mapping[str, Sequence[Figures]]) -> bool:
    """Print what became of all services; return whether ours is as fast as it shall be."""
    rate, p50, p99 = (
        medians(
            {name: [getattr(figures, fact) for figures in taken] for name, taken in seen.items()}
        )
        for fact in ("rate", "p50", "p99")
    )
    show_table(
        ("service", "requests/s", "p50 ms", "p99 ms", "of Starlette", "times the seed"),
        [
            (
                name,
                rate[name],
                p50[name],
                p99[name],
                rate[name] / rate[STARLETTE],
                rate[name] / rate[SEED],
            )
            for name in seen
        ],
    )
    print()
    return all(
        (
            show_reach("of no-op Starlette's rate", rate[OURS] / rate[STARLETTE], REACH_STARLETTE),
            show_reach("times the rate of the seed's design", rate[OURS] / rate[SEED], REACH_SEED),
            show_reach("p99 in milliseconds", p99[OURS], REACH_P99, at_most=True),
        )
    )


def parse_options(name: str, about: str) -> argparse.Namespace:
    """Return the options of a benchmark that asks by wrk; exit where that is missing."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=about.partition("\n")[0]
    )
    parser.add_argument("--hub", default="file:hub", help="what the service answers from")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    return args


def two_cores() -> tuple[int | None, int | None]:
    """Return the cores that ask and that answer; none where there is one alone."""
    free = sorted(os.sched_getaffinity(0))
    return (free[0], free[-1]) if len(free) > 1 else (None, None)


def main() -> None:
    """Run the command."""
    args = parse_options("moderate", __doc__)
    asking, answering = two_cores()
    print(machine(), end="\n\n")
    with (
        tempfile.TemporaryDirectory(prefix="careerlens-benchmark-") as folder,
        _services(args.hub, Path(folder), answering) as (services, key),
    ):
        wrk = Wrk(Path(folder), key, asking, args.seconds)
        for service in services.values():
            wrk.ask(service, LENGTHS[0])  # the first requests pay for what is made once
        is_reached = show(
            in_turn(
                {name: partial(wrk.ask, service, LENGTHS[0]) for name, service in services.items()},
                args.rounds,
            )
        )
        growth = {
            name: {float(length): 1000 / wrk.ask(services[name], length).rate for length in LENGTHS}
            for name in (OURS, SEED, STARLETTE)
        }
    plot_growth("moderate", "characters of a message", "milliseconds of the server", growth)
    sys.exit(0 if is_reached else 1)


if __name__ == "__main__":
    main()
