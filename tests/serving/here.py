"""A workshop that works in this process, for tests of what stands around it."""

import asyncio
from pathlib import Path
from typing import Any

from models.bundle import Bundle
from models.extract import Document
from models.manifest import Kind
from serving.workbench import Workbench
from serving.workshop import Lodger


class Here:
    """A workbench in the place of a workshop: everything is done at once."""

    def __init__(self, region: str | None = None) -> None:
        self.bench = Workbench(region)

    def check(self) -> None:
        pass

    def tidy(self) -> None:
        pass

    async def ask(self, method: Any, *given: Any) -> Any:
        return method(self.bench, *given)

    async def read_document(self, content: bytes, name: str) -> Document:
        return await asyncio.to_thread(self.bench.read_document, content, name)

    def load_ahead(self, *_: object) -> None:
        pass

    def load(self, kind: Kind, folder: Path, digest: str) -> Bundle[Lodger]:
        lodger = self.lodge(kind, folder, digest)
        loaded = self.bench.load(lodger.number, kind, folder, digest, ())
        lodger.is_prepared = loaded.model
        return Bundle(loaded.manifest, loaded.digest, lodger, loaded.metrics)

    def put(self, kind: Kind, model: Any, digest: str) -> Lodger:
        """Have a model that comes from no bundle."""
        lodger = self.lodge(kind, Path(), digest)
        self.bench._models[lodger.number] = model
        return lodger

    def lodge(self, kind: Kind, folder: Path, digest: str) -> Lodger:
        standing: Any = self
        return Lodger(standing, len(self.bench._models) + 1, kind, folder, digest)

    def warm_up(self, lodger: Lodger) -> bool:
        return self.bench.warm_up(lodger.number)
