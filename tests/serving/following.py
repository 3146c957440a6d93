"""Workers that follow a hub which a test changes."""

import itertools
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.cache import shelf_of
from models.hub import Hub, LocalHub, repo_id
from models.manifest import Kind
from models.signing import generate_keys
from serving.loader import Champions
from serving.logs import open_log
from serving.metrics import Metrics
from serving.settings import Settings
from tests.factories import make_release
from tests.serving.champions import NAMESPACE, promote, publish
from tests.serving.here import Here

TEXT = "You won a prize! Claim it now, you idiot"
FOR_EVER = 10**9

Packaged = dict[tuple[str, int], Path]


def package(root: Path) -> Packaged:
    """Package three versions of each text model below ``root``."""
    kinds: tuple[Kind, ...] = ("spam", "toxicity")
    packaged = {}
    for kind, version in itertools.product(kinds, (1, 2, 3)):
        folder = root / f"{kind}-{version}"
        words = tuple(f"A quiet word of greeting number {number}" for number in range(version))
        make_release(folder, kind, extra=words)
        card = folder / "README.md"
        card.write_text("---\nlicense: apache-2.0\n---\n" + card.read_text())  # as the Hub likes it
        packaged[kind, version] = folder
    return packaged


class Scene:
    """A hub of text models that a test changes, and workers that follow it."""

    def __init__(self, root: Path, packaged: Packaged, hub: Hub) -> None:
        self.root = root
        self.packaged = packaged
        self.hub = hub
        self.workers: list[Worker] = []
        for kind in ("spam", "toxicity"):
            self.promote(kind, 1)

    def stop(self) -> None:
        for worker in self.workers:
            worker.champions.stop()

    def promote(
        self, kind: str, version: int, packaged: Path | None = None, key: Path | None = None
    ) -> str:
        source = packaged or self.packaged[kind, version]
        return promote(self.hub, kind, source, version, self.root / "scratch", key)

    def publish(self, kind: str, version: int) -> str:
        source = self.packaged[kind, version]
        return publish(self.hub, kind, source, version, self.root / "scratch")

    def copy(self, kind: str, version: int) -> Path:
        """Return a copy of what is packaged, to be spoilt."""
        return Path(
            shutil.copytree(self.packaged[kind, version], self.root / f"{kind}-{version}-copy")
        )

    def shelf(self, kind: str) -> Path:
        """Return the folder of the copies that the workers have."""
        return shelf_of(self.root / "cache", repo_id(NAMESPACE, kind))

    def worker(self, **settings: Any) -> "Worker":
        """Start another worker, and wait until it has looked."""
        worker = self.start(**settings)
        worker.look()
        return worker

    def start(self, **settings: Any) -> "Worker":
        """Start another worker."""
        address = str(self.hub) if isinstance(self.hub, LocalHub) else "hf:"
        chosen = {"hub": address, "cache": self.root / "cache", "poll_seconds": 3600.0}
        worker = Worker(Settings(**chosen | settings))
        self.workers.append(worker)
        worker.champions.start()
        return worker


class Worker:
    """One worker's champions, and what they told."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self.shown: list[tuple[Kind, str | None]] = []
        workshop: Any = Here()
        self.champions = Champions(
            settings,
            open_log("error"),
            self.metrics,
            workshop,
            lambda kind, model: self.shown.append((kind, model and model.version)),
        )

    def look(self) -> None:
        self.champions.refresh().result(30)

    def report(self, kind: str = "spam") -> dict[str, Any]:
        return next(report for report in self.champions.reports() if report["kind"] == kind)

    def version(self, kind: str = "spam") -> str | None:
        """Return the version that answers, by its own word; it must be the one that is shown."""
        [verdict] = self.champions.current().moderator().moderate([TEXT])
        version = {"spam": verdict.spam, "toxicity": verdict.toxicity}[kind].version
        assert self.report(kind)["version"] == version
        return version

    def counted(self, name: str, **labels: str) -> float:
        """Return a figure of /metrics, 0 if it is not there."""
        found = 0.0
        for line in self.metrics.render().decode().splitlines():
            if line.startswith(name) and all(
                f'{key}="{value}"' in line for key, value in labels.items()
            ):
                found += float(line.rpartition(" ")[2])
        return found


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def key_pair(folder: Path) -> tuple[Path, Path]:
    """Return a new pair of keys in ``folder``, the private one first."""
    pair = folder / "key", folder / "key.pub"
    generate_keys(*pair)
    return pair
