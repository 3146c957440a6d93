"""Swap the champion under load, again and again: nothing fails, and every answer is right.

``python -m tests.e2e.swaps --hub local`` trains a first version of every model, serves it with two
workers, and while many callers ask trains a second spam model, compares and promotes it, and rolls
back; with ``--hub standin`` over the stand-in for the Hugging Face Hub, in production, signed. It
prints what was seen, and ends with 1 if a request failed or an answer was not that of the version
it names.
"""

import argparse
import asyncio
import csv
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

import pipelines  # noqa: F401  pins the numeric kernels before numpy is imported
from models.manifest import KINDS
from models.signing import generate_keys
from tests.e2e.conftest import Server, serving
from tests.e2e.crowd import Crowd
from tests.e2e.offline import Offline
from tests.e2e.workshop import Workshop
from tests.factories import ROOT

#: Messages of the starter corpus are asked about, the short ones, which take less of the machine,
#: and of these every second; and others of our own.
SHORT = 90
EVERY = 2
ODD = (
    "Great news 🎉🎉 you idiot 👩‍👩‍👧‍👦 🏳️‍🌈",
    "Cafe\u0301 re\u0301sume\u0301, claim it",
    "שלום, تعال \u202eidiot\u202c prize",
    "fr\u200bee\ufeff pr\u00adize at http://win.example/a?b=c",
    "We look for somebody who knows Python, Kubernetes and PostgreSQL. " * 12,
)

#: Seconds between an answer and the next request, at most: else the callers keep the machine so
#: busy that those who promote stand still.
PAUSE = 0.12

#: Seconds between two looks of a worker at the hub.
POLL = 5

#: Seconds in which every worker must have swapped once the command has ended; on a busy machine
#: a bundle takes some to load.
PATIENCE = 60

#: The swaps: the command, the version that answers afterwards, whether the service is told.
SWAPS = (
    ("promote", "v2", True),
    ("rollback", "v1", False),
    ("promote", "v2", False),
    ("rollback", "v1", True),
    ("promote", "v2", True),
)


@dataclass(frozen=True)
class Swap:
    """One swap as the callers saw it.

    Attributes
    ----------
    told : bool
        By POST /models/refresh; else the workers found out themselves.
    command, last_old : float
        Seconds from the start of the command to its end, and to the last answer of the version
        before.
    """

    name: str
    after: str
    told: bool
    command: float
    last_old: float


@dataclass
class Report:
    """What happened."""

    swaps: list[Swap]
    requests: int
    failures: list[str]
    faults: list[str]
    answers: Counter[str]
    turns: list[list[str]]
    seconds: list[float]
    connections: list[int]

    def lines(self) -> Iterator[str]:
        """Yield the table for people."""
        yield f"requests              {self.requests:>8,}"
        yield f"failures              {len(self.failures):>8,}"
        yield f"not as offline        {len(self.faults):>8,}"
        for version, count in sorted(self.answers.items()):
            yield f"judged by {version}          {count:>8,}"
        shares = statistics.quantiles(self.seconds, n=100)
        yield f"p50, p99              {shares[49] * 1000:>8.1f} {shares[98] * 1000:.1f} ms"
        yield f"connections by worker {' + '.join(map(str, self.connections)):>8}"
        yield ""
        yield "swap                    found by    command s   last old answer after s"
        for number, swap in enumerate(self.swaps, start=1):
            how = "being told" if swap.told else "polling"
            name = f"{number} {swap.name} to {swap.after}"
            yield f"{name:<24}{how:<12}{swap.command:>9.1f}   {swap.last_old:>23.2f}"


def swap_under_load(trained: Workshop, hub: Mapping[str, str], home: Path, requests: int) -> Report:
    """Serve, ask, swap and judge.

    Parameters
    ----------
    trained : Workshop
        With version 1; it is copied.
    hub : mapping of str to str
        The environment that names the hub.
    home : Path
        An empty folder.
    requests : int
        At least so many are sent.
    """
    workshop = trained.copy(home / "careerlens", **hub)
    for command in ("track", "register", "publish"):
        workshop.run(command)
    texts = [*ODD, *starter_texts()]
    chosen = {**hub, "CAREERLENS_WORKERS": "2", "CAREERLENS_POLL_SECONDS": str(POLL)}
    with serving(home / "server", **chosen) as server:
        workshop.retrain()
        workshop.run("track")
        workshop.run("register", "spam")
        print(workshop.run("compare", "spam", "champion", "challenger"))
        server.wait("/readyz")
        key = server.client.headers.get("x-api-key")
        crowd = Crowd(f"http://127.0.0.1:{server.port}", texts, PAUSE, key)
        swaps, connections = asyncio.run(_ask_and_swap(crowd, workshop, server, requests))
    offline = Offline(
        {
            kind: {
                version: workshop.bundle(kind, version)
                for version in (("v1", "v2") if kind == "spam" else ("v1",))
            }
            for kind in KINDS
        },
        texts,
    )
    return Report(
        swaps=swaps,
        requests=crowd.requests,
        failures=crowd.failures,
        faults=[fault for each in crowd.asked if (fault := offline.fault(each))],
        answers=Counter(each.spam for each in crowd.asked if each.spam is not None),
        turns=[caller.versions for caller in crowd.callers],
        seconds=[each.seconds for each in crowd.asked],
        connections=connections,
    )


async def _ask_and_swap(
    crowd: Crowd, workshop: Workshop, server: Server, requests: int
) -> tuple[list[Swap], list[int]]:
    asking = asyncio.create_task(crowd.ask(lambda: _busiest_stopped(server)))
    try:
        await crowd.until_all_see("v1", PATIENCE)
        connections = _connections(server)
        swaps = []
        for number, (command, after, told) in enumerate(SWAPS):
            # All over the load, and not in its first half.
            await crowd.until(requests * number // len(SWAPS))
            swaps.append(await _swap(crowd, workshop, server, command, after, told))
        await crowd.until(requests)
    finally:
        crowd.leave()
        await asking
    return swaps, connections


async def _swap(
    crowd: Crowd, workshop: Workshop, server: Server, command: str, after: str, told: bool
) -> Swap:
    before = "v1" if after == "v2" else "v2"
    started = time.monotonic()
    await asyncio.to_thread(workshop.run, command, "spam")
    ended = time.monotonic()
    if told:
        shown = await asyncio.to_thread(_refresh, server)
        assert after in {model["version"] for model in shown if model["kind"] == "spam"}, shown
    await crowd.until_all_see(after, PATIENCE)
    return Swap(command, after, told, ended - started, crowd.last_answer[before] - started)


def _refresh(server: Server) -> list[dict[str, str]]:
    """Tell every worker to look at the hub, and return what the one that answered now has."""
    answered = server.client.post("/models/refresh")
    assert answered.status_code == 200, answered.text
    shown: list[dict[str, str]] = answered.json()["models"]
    return shown


def _connections(server: Server) -> list[int]:
    """Return how many connections each worker has."""
    return [_connections_of(worker, server.port) for worker in _workers(server)]


@contextmanager
def _busiest_stopped(server: Server) -> Iterator[None]:
    """Let the worker with most connections take no more: else it may take all there are."""
    busiest = max(_workers(server), key=lambda worker: _connections_of(worker, server.port))
    busiest.suspend()
    try:
        yield
    finally:
        busiest.resume()


def _workers(server: Server) -> list[psutil.Process]:
    workers: list[psutil.Process] = psutil.Process(server.process.pid).children()
    return workers


def _connections_of(worker: psutil.Process, port: int) -> int:
    return sum(
        connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == port
        for connection in worker.net_connections("tcp")
    )


def starter_texts() -> list[str]:
    """Return messages of the starter corpus."""
    path = ROOT / "data" / "starter" / "messages.csv"
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return [text for text in texts if len(text) <= SHORT][::EVERY]


@contextmanager
def local_hub(home: Path) -> Iterator[dict[str, str]]:
    """Give a folder as the hub."""
    yield {"CAREERLENS_HUB": f"file:{home / 'hub'}"}


@contextmanager
def standin_hub(home: Path) -> Iterator[dict[str, str]]:
    """Run the stand-in for the Hugging Face Hub, for others in production: releases are signed."""
    private, public = home / "signing.key", home / "signing.pub"
    generate_keys(private, public)
    command = [sys.executable, "-m", "tests.hub_server", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        told = [process.stdout.readline().removeprefix("export ").strip() for _ in range(3)]
        yield {
            **dict(line.split("=", 1) for line in told),
            "HF_HOME": str(home / "huggingface"),
            "CAREERLENS_HUB": "hf:",
            "CAREERLENS_ENV": "production",
            "CAREERLENS_SIGNING_KEY": str(private),
            "CAREERLENS_TRUSTED_KEYS": str(public),
        }
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


HUBS: dict[str, Callable[[Path], AbstractContextManager[dict[str, str]]]] = {
    "local": local_hub,
    "standin": standin_hub,
}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.swaps", description=__doc__)
    parser.add_argument("--hub", choices=HUBS, required=True)
    parser.add_argument("--requests", type=int, default=10_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        print("==> Training version 1", flush=True)
        trained = Workshop.train(home / "trained")
        print("==> Serving, asking, swapping", flush=True)
        with HUBS[args.hub](home) as hub:
            report = swap_under_load(trained, hub, home / args.hub, args.requests)
    print(*report.lines(), sep="\n")
    wrong = [*report.failures, *report.faults]
    if wrong:
        sys.exit("\n".join(["", *wrong[:10]]))


if __name__ == "__main__":
    main()
