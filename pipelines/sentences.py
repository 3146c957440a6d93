"""The table of tagged sentences, as the sentences of one set."""

from pathlib import Path

from models.tagger import TaggedSentence
from pipelines.stage import read_lines

#: Sentences that may be learnt from, and those that a version is scored on, once.
TRAIN, SCORED = "train", "dev"


def read_sentences(path: Path, wanted: str) -> list[TaggedSentence]:
    """Return the sentences at ``path`` of the set ``wanted``, in order."""
    return [
        TaggedSentence(
            posting=row["posting"],
            tokens=tuple(row["tokens"]),
            skill=tuple(row["skill"]),
            knowledge=tuple(row["knowledge"]),
        )
        for row in read_lines(path)
        if row["set"] == wanted
    ]
