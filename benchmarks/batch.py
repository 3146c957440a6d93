"""A million messages through ``python -m pipelines.score``: two workers against one, and kills.

python -m benchmarks.batch --hub file:hub [--messages 1000000]

The command is run with one worker and with two, in turn; then with two of which one is killed on
the way, and later the command itself, and once more to its end. Whatever comes out must be the same
file, byte by byte. Memory is that of all its processes.
"""

import argparse
import csv
import hashlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from benchmarks.report import in_turn, machine, plot_growth, show_reach, show_table
from benchmarks.seed_design import STARTER
from benchmarks.service import ROOT

#: Rate of two workers in rates of one; memory at the end in that of the first tenth.
REACH_WORKERS, REACH_MEMORY = 1.7, 1.2


#: Called at every look with the command's process and the share of its parts that are there.
Look = Callable[[psutil.Process, float], None]


@dataclass(frozen=True)
class Run:
    """One run of the command.

    Attributes
    ----------
    seconds : float
        In all, with the start and end of its processes.
    rate : float
        Messages a second from the first part to the last.
    memory : list of (float, int)
        Share of the parts that were there, and bytes of all processes, at every look.
    """

    seconds: float
    rate: float
    memory: list[tuple[float, int]]

    def growth(self) -> float:
        """Return the most memory of the last half in the most of the first tenth of the parts."""
        early = max(size for share, size in self.memory if share <= 0.1)
        return max(size for share, size in self.memory if share >= 0.5) / early


class Batch:
    """Messages, and the command that scores them.

    Parameters
    ----------
    folder : Path
        For the messages and what they come to.
    messages, rows : int
        How many, in all and in a part.
    """

    def __init__(self, folder: Path, hub: str, messages: int, rows: int) -> None:
        self._folder = folder
        self._hub = hub
        self._messages = messages
        self._rows = rows
        with STARTER.open(encoding="utf-8") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        with (folder / "messages.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("id", "text"))
            writer.writerows((n, f"{texts[n % len(texts)]} {n}") for n in range(messages))

    def score(self, name: str, workers: int, look: Look = lambda *_: None) -> Run:
        """Run the command until it ends by itself or in a ``look``."""
        output = self._folder / name
        began = time.monotonic()
        command = psutil.Popen(
            [
                *(sys.executable, "-m", "pipelines.score", self._folder / "messages.csv", output),
                *("--model", "moderation", "--id", "id", "--rows", str(self._rows)),
                *("--workers", str(workers), "--hub", self._hub),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        memory: list[tuple[float, int]] = []
        seen: list[tuple[float, float]] = []
        share = 0.0
        while command.poll() is None:
            done = len(list(Path(f"{output}.parts").glob("part-*"))) * self._rows / self._messages
            if done > share:
                share = done
                seen.append((time.monotonic(), share))
            memory.append((share, _bytes(command)))
            look(command, share)
            time.sleep(0.05)
        if command.returncode not in (0, -signal.SIGKILL):
            sys.exit(f"pipelines.score ended with {command.returncode}")
        (first, start), (last, end) = seen[0], seen[-1]
        rate = self._messages * (end - start) / (last - first) if last > first else float("nan")
        return Run(time.monotonic() - began, rate, memory)

    def digest(self, name: str) -> str:
        """Return the sha256 of what the command made."""
        with (self._folder / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _bytes(command: psutil.Process) -> int:
    total = 0
    for process in (command, *command.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


class Killer:
    """Kills one worker at 30 % and the command at 60 % of its parts."""

    def __init__(self) -> None:
        self._has_killed_worker = False

    def __call__(self, command: psutil.Process, share: float) -> None:
        """Look at a command."""
        if share >= 0.3 and not self._has_killed_worker:
            largest = max(
                command.children(recursive=True), key=lambda child: child.memory_info().rss
            )
            largest.kill()
            self._has_killed_worker = True
        if share >= 0.6:
            command.kill()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.batch", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--hub", default="file:hub", help="where the models are")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000, help="of a part")
    parser.add_argument("--rounds", type=int, default=3, help="of one worker and of two")
    args = parser.parse_args()
    print(machine(), end="\n\n")
    hub = f"file:{Path(args.hub[5:]).resolve()}" if args.hub.startswith("file:") else args.hub
    with tempfile.TemporaryDirectory(prefix="careerlens-benchmark-") as folder:
        warm = Path(folder) / "warm"
        warm.mkdir()
        Batch(warm, hub, args.rows, args.rows).score("warm.csv", 1)  # compiles what is kept
        batch = Batch(Path(folder), hub, args.messages, args.rows)
        digests = set()

        def score(workers: int) -> Run:
            name = f"{workers}.csv"
            run = batch.score(name, workers)
            digests.add(batch.digest(name))
            (Path(folder) / name).unlink()
            return run

        taken = in_turn({str(n): partial(score, n) for n in (1, 2)}, args.rounds)
        runs = {int(n): sorted(each, key=lambda run: run.rate) for n, each in taken.items()}
        middle = {n: each[len(each) // 2] for n, each in runs.items()}
        killed = batch.score("killed.csv", 2, Killer())
        resumed = batch.score("killed.csv", 2)
        digests.add(batch.digest("killed.csv"))
    named = {
        "1 worker": middle[1],
        "2 workers": middle[2],
        "2 workers, killed": killed,
        "run again": resumed,
    }
    show_table(
        (
            *("run", "seconds", "messages/s while scoring", "in rates of 1 worker"),
            *("most memory, MiB", "growth of memory"),
        ),
        [
            (
                name,
                run.seconds,
                run.rate,
                run.rate / middle[1].rate,
                max(size for _, size in run.memory) / 2**20,
                run.growth() if run in middle.values() else "",
            )
            for name, run in named.items()
        ],
    )
    print()
    checks = (
        show_reach("2 workers in rates of 1", middle[2].rate / middle[1].rate, REACH_WORKERS),
        show_reach("growth of memory", middle[2].growth(), REACH_MEMORY, at_most=True),
        show_reach("kinds of files that came out", len(digests), 1, at_most=True),
    )
    plot_growth(
        "batch",
        "workers",
        "seconds for a million messages",
        {"pipelines.score": {float(n): 1e6 / run.rate for n, run in middle.items()}},
    )
    sys.exit(0 if all(checks) else 1)


if __name__ == "__main__":
    main()
