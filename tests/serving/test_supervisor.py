"""The supervisor itself, with workers that die at their start or hang."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.factories import ROOT

#: A supervisor over one worker, which runs the code given; it says what it does on its last lines.
SUPERVISOR = """
import sys
from pathlib import Path
from bentoml._internal.utils import circus
from circus.watcher import Watcher
from serving import supervisor
from serving.logs import open_log

supervisor.STUCK_SECONDS = 1.0
supervisor.supervise(Path(sys.argv[1]), 0.0, 1, open_log("info"))
worker = Watcher("workers", sys.executable, args=["-c", sys.argv[2]], copy_env=True)
circus.create_standalone_arbiter([worker]).start()
"""

#: A worker that shows its pulse.
LIVELY = """
import asyncio
from serving import supervisor
supervisor._PULSE_SECONDS = 0.05
async def main():
    supervisor.show_pulse()
    print("begun", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


class Supervised:
    """A running supervisor, and what it logged."""

    def __init__(self, folder: Path, log: Path, worker: str) -> None:
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, str(folder), worker],
                cwd=ROOT,
                env=os.environ | {"CAREERLENS_METRICS_FOLDER": str(folder)},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self._log.read_text()

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [line for line in self.text.splitlines() if line.startswith("{")]
        return [row for line in lines if (row := json.loads(line))["event"] == event]

    def wait(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not reached():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.02)

    def worker(self) -> int:
        [worker] = psutil.Process(self.process.pid).children()
        return worker.pid


@contextmanager
def supervised(tmp_path: Path, worker: str) -> Iterator[Supervised]:
    folder = tmp_path / "shared"
    folder.mkdir()
    running = Supervised(folder, tmp_path / "log", worker)
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.wait(20)


def test_workers_that_die_at_their_start_are_started_more_and_more_seldom(tmp_path: Path) -> None:
    with supervised(tmp_path, "raise SystemExit(3)") as running:
        running.wait(lambda: len(running.logged("worker ended")) == 4)
        started = time.monotonic()
        running.wait(lambda: len(running.logged("worker ended")) == 5)
        assert time.monotonic() - started > 2  # three early ones more than there are workers
        assert running.logged("worker ended")[0]["code"] == 3


def test_a_worker_that_hangs_is_replaced_and_one_that_lives_is_not(tmp_path: Path) -> None:
    with supervised(tmp_path, LIVELY) as running:
        running.wait(lambda: running.text.count("begun") == 1)
        time.sleep(2.5)  # longer than a worker may hang
        assert not running.logged("worker hangs")
        worker = running.worker()
        os.kill(worker, signal.SIGSTOP)
        running.wait(lambda: running.text.count("begun") == 2)
        assert [row["pid"] for row in running.logged("worker hangs")] == [worker]
        assert [row["code"] for row in running.logged("worker ended")] == [-signal.SIGKILL]
    assert len(running.logged("worker ended")) == 1  # the last one was told to
    assert not list((tmp_path / "shared").glob("pulse_*"))


def test_nobody_else_can_give_the_supervisor_orders(tmp_path: Path) -> None:
    with supervised(tmp_path, LIVELY) as running:
        running.wait(lambda: "begun" in running.text)
        ports = [each.laddr for each in psutil.Process(running.process.pid).net_connections("inet")]
        assert ports == []
        assert (tmp_path / "shared" / "orders").is_socket()
