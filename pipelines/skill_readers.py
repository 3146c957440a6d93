"""Turn the tables of each source of skills into tagged sentences, phrases and titles of jobs."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from pipelines.raw_files import RawReadError, Tables, column_of
from pipelines.repair import decode, tidy_line

_SKILLSPAN_COLUMNS = ("idx", "tokens", "tags_skill", "tags_knowledge")

#: Files of esco with skills, and the category of the taxonomy that theirs are of.
_ESCO_COLLECTIONS = {
    "digitalSkillsCollection_en.csv": "hard",
    "transversalSkillsCollection_en.csv": "soft",
    "languageSkillsCollection_en.csv": "language",
}
_ESCO_OCCUPATIONS = "occupations_en.csv"


def read_skillspan(tables: Tables) -> Iterator[dict[str, Any]]:
    """Sentences with a tag of B, I or O for each token in both layers.

    Both files number their postings from 1, so a posting is named after its file too.

    Raises
    ------
    RawReadError
        If a sentence has tags of another kind or number.
    """
    for name in ("train", "dev"):
        table = tables[f"{name}.json"]
        columns = (column_of(tables, f"{name}.json", column) for column in _SKILLSPAN_COLUMNS)
        for number, (posting, *lists) in enumerate(zip(*columns, strict=True), start=1):
            where = f"{name}.json, line {number} of {len(table)}"
            tokens, skill, knowledge = (_strings(cell, where) for cell in lists)
            for tags in (skill, knowledge):
                if len(tags) != len(tokens) or not _is_bio(tags):
                    raise RawReadError(
                        f"{where}: {len(tokens)} tokens with the tags {' '.join(tags[:20])}; "
                        "expected one of B, I and O for each, no I without a B before it"
                    )
            yield {
                "set": name,
                "posting": f"{name}-{posting}",
                "tokens": [_repaired(token) for token in tokens],
                "skill": skill,
                "knowledge": knowledge,
            }


def read_onet_phrases(tables: Tables) -> Iterator[dict[str, Any]]:
    """Technologies, once for each occupation that has them."""
    for name in column_of(tables, "Technology Skills.xlsx", "Example"):
        yield _phrase(tidy_line(name), (), "tool")


def read_esco_phrases(tables: Tables) -> Iterator[dict[str, Any]]:
    """Three collections of skills with their other labels."""
    for file, category in _ESCO_COLLECTIONS.items():
        labels = column_of(tables, file, "preferredLabel")
        others = column_of(tables, file, "altLabels")
        for name, cell in zip(labels, others, strict=True):
            yield _phrase(tidy_line(name), _labels(cell, " | "), category)


def read_esco_label_phrases(tables: Tables) -> Iterator[dict[str, Any]]:
    """Labels without anything beside them."""
    for name in column_of(tables, "skills_en_label.txt", "label"):
        yield _phrase(tidy_line(name), (), "hard")


def read_onet_titles(tables: Tables) -> Iterator[str]:
    """Where a title has a short form, that stands behind it in parentheses and is left out."""
    columns = ("Alternate Title", "Short Title")
    cells = (column_of(tables, "Alternate Titles.xlsx", column) for column in columns)
    for title, short in zip(*cells, strict=True):
        text = tidy_line(title)
        yield re.sub(r" \([^()]*\)$", "", text) if short else text


def read_esco_titles(tables: Tables) -> Iterator[str]:
    """Preferred labels first, so that they win over other labels that say the same."""
    labels: pd.Series = column_of(tables, _ESCO_OCCUPATIONS, "preferredLabel")
    yield from map(tidy_line, labels)
    for cell in column_of(tables, _ESCO_OCCUPATIONS, "altLabels"):
        yield from _labels(cell, "\n")


def read_starter_titles(tables: Tables) -> Iterator[str]:
    """Each posting names an occupation; a rank before it says nothing of what is done there."""
    for title in column_of(tables, "postings.jsonl", "title"):
        yield tidy_line(title).removeprefix("Senior ")


SENTENCE_READERS: Mapping[str, Callable[[Tables], Iterator[dict[str, Any]]]] = {
    "skillspan": read_skillspan
}

PHRASE_READERS: Mapping[str, Callable[[Tables], Iterator[dict[str, Any]]]] = {
    "onet": read_onet_phrases,
    "esco": read_esco_phrases,
    "esco_labels": read_esco_label_phrases,
}

TITLE_READERS: Mapping[str, Callable[[Tables], Iterator[str]]] = {
    "onet": read_onet_titles,
    "esco": read_esco_titles,
    "starter_jobs": read_starter_titles,
}


def _strings(cell: str, where: str) -> list[str]:
    try:
        found = json.loads(cell)
    except ValueError as error:
        raise RawReadError(f"{where}: {error}") from error
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise RawReadError(f"{where}: {cell[:40]!r} is no list of strings")
    return found


def _is_bio(tags: Sequence[str]) -> bool:
    return set(tags) <= {"B", "I", "O"} and "OI" not in "O" + "".join(tags)


def _repaired(token: str) -> str:
    """Return ``token`` with what damaged it undone, as long as it stays one token."""
    decoded = decode(token)
    return token if len(decoded.split()) != 1 else decoded


def _phrase(name: str, labels: Sequence[str], category: str) -> dict[str, Any]:
    aliases: dict[str, str] = {}
    for label in labels:
        aliases.setdefault(label.casefold(), label)
    aliases.pop(name.casefold(), None)
    return {"name": name, "aliases": list(aliases.values()), "category": category}


def _labels(cell: str, separator: str) -> list[str]:
    """Return the labels in a cell; some end in a semicolon."""
    labels = (tidy_line(label).rstrip("; ") for label in cell.split(separator))
    return [label for label in labels if label]
