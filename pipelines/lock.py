"""What dvc.lock says: which stages made an output, of what, and where DVC's cache has it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

#: The file of an object in DVC's cache by its md5; None where there is none.
Cache = Callable[[str], Path | None]


@dataclass(frozen=True)
class Lock:
    """The stages of a dvc.lock, as the file has them."""

    stages: Mapping[str, Any]

    def outputs(self) -> dict[str, str]:
        """Return the md5 of every output by path; a folder's ends with ``.dir``."""
        stages = self.stages.values()
        return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", ())}

    def inputs(self, output: str) -> dict[str, str]:
        """Return the md5 by path of all that no stage made and ``output`` was made of."""
        made = self.outputs()
        inputs: dict[str, str] = {}
        waiting, seen = [output], set[str]()
        while waiting:
            wanted = waiting.pop()
            for name, stage in self.stages.items():
                outs = [out["path"] for out in stage.get("outs", ())]
                if name in seen or not any(within(wanted, out) for out in outs):
                    continue
                seen.add(name)
                for dep in stage.get("deps", ()):
                    if any(within(dep["path"], out) for out in made):
                        waiting.append(dep["path"])
                    else:
                        inputs[dep["path"]] = dep["md5"]
        return inputs

    def cached(self, path: str, cache: Cache) -> Path | None:
        """Return where DVC's cache has the output at ``path``, which may lie below a folder."""
        for out, md5 in self.outputs().items():
            if out == path:
                return cache(md5)
            if within(path, out) and (listing := cache(md5)):
                below = PurePosixPath(path).relative_to(out).as_posix()
                for entry in json.loads(listing.read_bytes()):
                    if entry["relpath"] == below:
                        return cache(entry["md5"])
        return None


def read_lock(encoded: bytes | None) -> Lock | None:
    """Return the dvc.lock in ``encoded``; None if it is none, as amid a merge."""
    try:
        content = yaml.safe_load(encoded or b"")
    except yaml.YAMLError:
        return None
    return Lock(content.get("stages", {})) if isinstance(content, dict) else None


def within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return PurePosixPath(path).is_relative_to(folder)


def tree_md5(path: str, files: Mapping[str, bytes]) -> str | None:
    """Return what DVC calls the file or folder at ``path`` of a tree; None if there is none."""
    if path in files:
        return _md5(files[path])
    below = {
        PurePosixPath(name).relative_to(path).as_posix(): content
        for name, content in files.items()
        if within(name, path)
    }
    return folder_md5(below) if below else None


def folder_md5(files: Mapping[str, bytes]) -> str:
    """Return what DVC calls a folder: the md5 of its files' paths and md5, and ``.dir``."""
    entries = [{"md5": _md5(files[path]), "relpath": path} for path in sorted(files)]
    return f"{_md5(json.dumps(entries, sort_keys=True).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
