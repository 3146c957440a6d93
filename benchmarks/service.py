"""The real service in processes of its own, for as long as a benchmark takes."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
BENTOML = Path(sys.executable).with_name("bentoml")

# What the shell has set must not decide what is measured.
_FOREIGN = ("CAREERLENS_", "BENTOML_", "PROMETHEUS_", "PORT", "PYTHONDONTWRITEBYTECODE")


@dataclass
class Service:
    """A running service.

    Attributes
    ----------
    started : float
        When its process was started, on the monotonic clock.
    log_file : Path
        What it wrote.
    """

    process: subprocess.Popen[bytes]
    port: int
    started: float
    log_file: Path

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def wait(self, path: str, seconds: float = 120.0) -> float:
        """Wait until GET ``path`` is answered with 200; return the seconds since the start."""
        while True:
            try:
                with urllib.request.urlopen(self.address + path, timeout=2):
                    return time.monotonic() - self.started
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    sys.exit(f"the service ended:\n{self.log_file.read_text()[-2_000:]}")
                if time.monotonic() - self.started > seconds:
                    sys.exit(f"the service was not ready within {seconds:g} seconds")
                time.sleep(0.02)

    def resident_bytes(self) -> int:
        """Return the memory of all its processes."""
        total = 0
        for process in self._processes():
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total

    def cpu_seconds(self) -> float:
        """Return what its processes took of the processor so far."""
        total = 0.0
        for process in self._processes():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    def _processes(self) -> list[psutil.Process]:
        try:
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def stop(self) -> float:
        """End it with every process it started; return the seconds until it had ended itself."""
        processes = self._processes()
        told = time.monotonic()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(40)
        took = time.monotonic() - told
        _, alive = psutil.wait_procs(processes, timeout=40)
        for process in alive:
            process.kill()
        self.process.wait()
        return took


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    name: str = ".", *, folder: Path = ROOT, cores: set[int] | None = None, **chosen: str
) -> Iterator[Service]:
    """Run ``bentoml serve NAME`` in ``folder`` on a free port of the loopback.

    Parameters
    ----------
    cores : set of int, optional
        The only ones that its processes may use.
    chosen : str
        Variables of its environment.
    """
    command = [str(BENTOML), "serve", name]
    with started(command, folder=folder, cores=cores, **chosen) as service:
        yield service


@contextmanager
def started(
    command: Sequence[str], *, folder: Path = ROOT, cores: set[int] | None = None, **chosen: str
) -> Iterator[Service]:
    """Run a server that takes ``--port``, as :func:`running` does."""
    with tempfile.TemporaryDirectory(prefix="careerlens-benchmark-") as home:
        port = free_port()
        log_file = Path(home) / "service.log"
        environment = _environment(Path(home), port) | chosen
        with log_file.open("wb") as log:
            began = time.monotonic()
            process = subprocess.Popen(
                [*command, "--port", str(port)],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if cores is not None:
            os.sched_setaffinity(process.pid, cores)  # its children inherit it
        service = Service(process, port, began, log_file)
        try:
            yield service
        finally:
            service.stop()


def _environment(home: Path, port: int) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return kept | {
        "BENTOML_HOME": str(home / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "CAREERLENS_CACHE": str(home / "cache"),
        "CAREERLENS_DATABASE_URL": f"sqlite:///{home}/feedback.db",
        "PORT": str(port),
    }
