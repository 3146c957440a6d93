"""What the page costs the API: its start, and POST /moderate, with the page and without.

python -m benchmarks.page --hub file:hub

The same service three times on one core, asked by wrk from another as in benchmarks/moderate.py:
one to which the page's packages are not there, one that nobody has asked for the page, and one
whose page runs. A start is measured in seconds of the processor: others tell less on them. wrk is
Debian's: ``apt-get install wrk``.
"""

import sys
import tempfile
import time
import urllib.request
from functools import partial
from pathlib import Path

from benchmarks.moderate import LENGTHS, Wrk, parse_options, two_cores
from benchmarks.report import in_turn, machine, medians, show_reach, show_table
from benchmarks.service import Service, running

ABSENT, PRESENT, OPEN = "no page", "a page nobody asked for", "a page that runs"

#: Of the rate without a page; of the processor's seconds of a start without one.
REACH_RATE, REACH_START = 0.95, 1.05

_WITHOUT = """import sys

sys.modules["gradio"] = None
"""


def without_page(folder: Path) -> dict[str, str]:
    """Return the environment of a service to which Gradio is not there."""
    (folder / "sitecustomize.py").write_text(_WITHOUT, encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def open_page(service: Service, seconds: float = 120.0) -> None:
    """Ask for the page as a browser does, until it is there."""
    asked = urllib.request.Request(service.address, headers={"Accept": "text/html"})
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            if b"gradio" in answer.read():
                return
        time.sleep(0.5)
    sys.exit(f"{service.address} shows no page: {service.log_file.read_text()[-2_000:]}")


def seconds_of_start(environment: dict[str, str]) -> float:
    """Return what a service takes of the processor until it is ready, its models in its cache."""
    with running(**environment) as service:
        service.wait("/readyz")
        return service.cpu_seconds()


def main() -> None:
    """Run the command."""
    args = parse_options("page", __doc__)
    asking, answering = two_cores()
    cores = None if answering is None else {answering}
    print(machine(), end="\n\n")
    with tempfile.TemporaryDirectory(prefix="careerlens-benchmark-") as home:
        folder = Path(home)
        ours = {
            "CAREERLENS_HUB": args.hub,
            "CAREERLENS_CACHE": str(folder / "cache"),
            "CAREERLENS_LIMIT_ADDRESS": "1000000000/minute",
            "CAREERLENS_LOG_LEVEL": "warning",
        }
        sorts = {ABSENT: ours | without_page(folder), PRESENT: ours}
        seconds_of_start(ours)  # the first one brings the models
        starts = medians(
            in_turn(
                {name: partial(seconds_of_start, sort) for name, sort in sorts.items()},
                args.rounds,
            )
        )
        with (
            running(cores=cores, **sorts[ABSENT]) as absent,
            running(cores=cores, **ours) as present,
            running(cores=cores, **ours) as opened,
        ):
            services = {ABSENT: absent, PRESENT: present, OPEN: opened}
            wrk = Wrk(folder, "", asking, args.seconds)
            for service in services.values():
                service.wait("/readyz")
                wrk.ask(service, LENGTHS[0])  # the first requests pay for what is made once
            open_page(opened)
            asked = {name: partial(wrk.ask, each, LENGTHS[0]) for name, each in services.items()}
            seen = in_turn(asked, args.rounds)
    rate, p50, p99 = (
        medians({name: [getattr(each, fact) for each in taken] for name, taken in seen.items()})
        for fact in ("rate", "p50", "p99")
    )
    show_table(
        ("service", "requests/s", "p50 ms", "p99 ms", "of none", "start, CPU s"),
        [
            (
                *(name, rate[name], p50[name], p99[name], rate[name] / rate[ABSENT]),
                starts.get(name, ""),
            )
            for name in services
        ],
    )
    print()
    holds = [
        show_reach("of the rate without a page", rate[PRESENT] / rate[ABSENT], REACH_RATE),
        show_reach("the same, while the page runs", rate[OPEN] / rate[ABSENT], REACH_RATE),
        show_reach(
            *("times the start without a page", starts[PRESENT] / starts[ABSENT], REACH_START),
            at_most=True,
        ),
    ]
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
