"""The approved decisions as a file of JSON lines, which the pipeline takes as one more source.

One object a line: ``version`` of this format, ``id`` of the message in the database, ``kind``,
``text``, ``label`` 0 or 1, and the four categories, 0, 1 or null where nobody knows. Who decided is
not in it. The same decisions give the same bytes.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.feedback.decisions import CATEGORIES
from serving.feedback.store import Entry

#: Raise it with every change of what a line has.
VERSION = 1


@dataclass(frozen=True)
class Exported:
    """What was written: how many rows, and the sha256 of the file."""

    rows: int
    sha256: str


def export(entries: Iterable[Entry], output: Path) -> Exported:
    """Write the approved of ``entries`` to ``output``, in their order, in one step.

    Nobody else may read the file: these are people's messages.
    """
    digest = hashlib.sha256()
    rows = 0
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            for row in _rows(entries):
                line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
                digest.update(line)
                file.write(line)
                rows += 1
        os.replace(unfinished, output)
    except BaseException:
        os.unlink(unfinished)
        raise
    return Exported(rows, digest.hexdigest())


def _rows(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        standing = entry.standing
        if standing.status == "approved" and standing.label is not None:
            known = {name: int(holds) for name, holds in standing.categories.items()}
            yield {
                "version": VERSION,
                "id": entry.message_id,
                "kind": entry.kind,
                "text": entry.text,
                "label": int(standing.label),
                **{category: known.get(category) for category in CATEGORIES},
            }
