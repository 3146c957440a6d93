"""The service's log of predictions, as docs/monitoring.md has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from models.errors import CareerlensError
from models.manifest import Thresholds

#: The newest part in a folder; older ones are ``<name>.1`` and so on.
FILE = "predictions.jsonl"

TextKind = Literal["spam", "toxicity"]


class PredictionLogError(CareerlensError):
    """The log is not there, or has nothing of what is asked for."""


class Row(BaseModel):
    """One line of the log, as far as it is read."""

    model_config = ConfigDict(frozen=True)

    time: AwareDatetime
    kind: TextKind
    version: str
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    chars: int = Field(ge=0)
    unknown: float = Field(ge=0.0, le=1.0)
    other_script: float = Field(ge=0.0, le=1.0)
    review: float = Field(ge=0.0, le=1.0)
    block: float = Field(ge=0.0, le=1.0)
    score: float = Field(ge=0.0, le=1.0)

    @property
    def thresholds(self) -> Thresholds:
        """Those that the service judged by."""
        return Thresholds(review=self.review, block=self.block)


@dataclass(frozen=True)
class Logged:
    """What the log has of one kind.

    Attributes
    ----------
    rows : list of Row
        Oldest first.
    unreadable : int
        Lines of the whole log that are none.
    """

    rows: list[Row]
    unreadable: int

    def of_model(self, digest: str) -> list[Row]:
        """Return the rows of one model."""
        return [row for row in self.rows if row.digest == digest]


def read_log(log: Path, kind: TextKind, since: datetime | None) -> Logged:
    """Return what the log has of ``kind``, from ``since`` on.

    Parameters
    ----------
    log : Path
        The folder that CAREERLENS_PREDICTION_LOG names, or one file of it.

    Raises
    ------
    PredictionLogError
        If there is no log.
    """
    rows = []
    unreadable = 0
    for line in _lines(log):
        try:
            row = Row.model_validate_json(line)
        except ValidationError:
            unreadable += 1
            continue
        if row.kind == kind and (since is None or row.time >= since):
            rows.append(row)
    # Of several workers each writes in its own time.
    return Logged(sorted(rows, key=lambda row: row.time), unreadable)


def _lines(log: Path) -> Iterator[bytes]:
    parts = [log] if log.is_file() else sorted(log.glob(f"{FILE}*"))
    parts = [part for part in parts if part.suffix != ".lock" and part.is_file()]
    if not parts:
        raise PredictionLogError(
            f"{log} has no {FILE}: name the folder that CAREERLENS_PREDICTION_LOG names for the "
            "service, with CAREERLENS_PREDICTION_SHARE above 0"
        )
    for part in parts:
        with part.open("rb") as file:
            yield from file
