"""A Redis and a PostgreSQL of our own, to be stopped, frozen and killed as the real ones are."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

from tests.e2e.conftest import free_port

_SECONDS = 30


class OwnServer:
    """A server that is started again on the same port and with the same data.

    Parameters
    ----------
    command : list of str
        It stays in the foreground.
    is_up : callable
        Whether the server answers.
    user : str, optional
        Whose processes these are.
    """

    def __init__(
        self, command: list[str], is_up: Callable[[], bool], user: str | None = None
    ) -> None:
        self._command = command
        self._is_up = is_up
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # its children are stopped and frozen with it
            user=self._user,
        )
        deadline = time.monotonic() + _SECONDS
        while not self._is_up():
            assert self._process.poll() is None, self._command[0]
            assert time.monotonic() < deadline, self._command[0]
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def stop(self) -> None:
        """Have it end in order, whoever is connected."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_SECONDS)

    def kill(self) -> None:
        """End it at once, frozen or not."""
        assert self._process is not None
        if self._process.poll() is None:
            self.send(signal.SIGKILL)
            self._process.wait(_SECONDS)


def own_redis() -> tuple[OwnServer, str]:
    """Return a Redis that is not started yet, and its address."""
    port = free_port()

    def is_up() -> bool:
        try:
            with redis.Redis(port=port) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    server = OwnServer(["redis-server", "--port", str(port), "--save", ""], is_up)
    return server, f"redis://127.0.0.1:{port}/0"


def own_postgres(folder: Path) -> tuple[OwnServer, str]:
    """Return a PostgreSQL with a new cluster in ``folder``, not started yet, and its address."""
    found = shutil.which("postgres") or str(max(Path("/usr/lib/postgresql").glob("*/bin/postgres")))
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    data, port = folder / "data", free_port()
    if user is not None:
        folder.chmod(0o755)
        data.mkdir()
        shutil.chown(data, user)
    subprocess.run(
        [Path(found).with_name("initdb"), "-D", data, "-U", "postgres", "-A", "trust"],
        check=True,
        stdout=subprocess.DEVNULL,
        user=user,
    )
    address = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def is_up() -> bool:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    command = [found, "-D", str(data), "-p", str(port), "-k", str(data), "-h", "127.0.0.1"]
    return OwnServer(command, is_up, user), address
