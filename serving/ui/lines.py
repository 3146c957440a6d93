"""Many messages at once: read from lines or a CSV file, and their verdicts as one to keep."""

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: Most messages of one table.
MAX_LINES = 5_000

#: Columns that hold the messages, in the order they are looked for.
_COLUMNS = ("text", "message", "comment", "content", "body")

# What a spreadsheet would take for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class LinesError(Exception):
    """Nothing to judge, or too much of it, as a sentence for the visitor."""


def read_lines(pasted: str, file: Path | None) -> list[str]:
    """Return the messages: of the file if there is one, else one for each line that was pasted.

    A CSV file has them in a column named like one of messages, or in its first; any other file has
    one on each line.

    Raises
    ------
    LinesError
    """
    if file is None:
        found = pasted.splitlines()
    else:
        try:
            content = file.read_bytes().decode("utf-8-sig")
        except OSError:
            raise LinesError("The file is no longer here: drop it once more.") from None
        except UnicodeDecodeError:
            raise LinesError("The file is not text in UTF-8.") from None
        found = _column(content) if file.suffix.lower() == ".csv" else content.splitlines()
    texts = [line for line in found if line.strip()]
    if not texts:
        raise LinesError("There is no message yet: paste lines, or drop a file.")
    if len(texts) > MAX_LINES:
        raise LinesError(
            f"{len(texts):,} messages are more than the {MAX_LINES:,} that this page takes at a "
            "time; python -m pipelines.score takes files of any size."
        )
    return texts


def verdict_file(texts: Sequence[str], verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return the verdicts as a CSV file's address, which holds the file itself."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(("text", "action", "spam", "toxicity", *_categories(verdicts)))
    for message, verdict in zip(texts, verdicts, strict=True):
        toxicity = verdict["toxicity"]
        writer.writerow(
            (
                f"'{message}" if message.startswith(_FORMULA) else message,
                verdict["action"],
                verdict["spam"]["score"],
                toxicity["score"],
                *toxicity["categories"].values(),
            )
        )
    packed = base64.b64encode(sheet.getvalue().encode("utf-8-sig")).decode()
    return f"data:text/csv;base64,{packed}"


def _column(content: str) -> list[str]:
    try:
        rows = list(csv.reader(io.StringIO(content, newline=""), strict=True))
    except csv.Error:
        raise LinesError("The file is not valid CSV.") from None
    if not rows:
        return []
    names = [name.strip().lower() for name in rows[0]]
    known = [names.index(column) for column in _COLUMNS if column in names]
    place, first = (known[0], 1) if known else (0, 0)
    return [row[place] for row in rows[first:] if len(row) > place]


def _categories(verdicts: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(verdicts[0]["toxicity"]["categories"])
