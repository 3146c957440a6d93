"""Write the starter corpus, messages.csv, from the templates in data/starter/*.yaml."""

import argparse
import csv
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import yaml

from models.errors import CareerlensError
from pipelines.entry import entry_point

MESSAGES_PER_TEMPLATE = 4
COLUMNS = ("text", "spam", "toxic", "category", "hard", "template")
SLOT = re.compile(r"\{([a-z0-9_]+)\}")
Slots = Mapping[str, list[str]]


class StarterError(CareerlensError):
    """The template files contradict themselves; the message names the culprit."""


@dataclass(frozen=True)
class Template:
    """One sentence pattern and the labels of its category."""

    text: str
    category: str
    spam: bool
    toxic: bool
    hard: bool

    @property
    def digest(self) -> str:
        """First 12 hex digits of the sha256 of the text."""
        return sha256(self.text.encode()).hexdigest()[:12]


def merge_slots(documents: Mapping[str, Mapping[str, Slots]]) -> dict[str, list[str]]:
    """Return the slots of all files together.

    Raises
    ------
    StarterError
        If two files give one slot different values, or a value is not text.
    """
    merged: dict[str, list[str]] = {}
    for path, document in documents.items():
        for name, values in (document.get("slots") or {}).items():
            if not all(isinstance(value, str) for value in values):
                raise StarterError(f"{path}: slot {name!r} has a value that is not text; quote it")
            if merged.setdefault(name, values) != values:
                raise StarterError(f"{path}: slot {name!r} has other values in another file")
    return merged


def read_templates(path: str, categories: Mapping[str, object]) -> Iterator[Template]:
    """Yield the templates of one file; a key ``insult.hard`` belongs to the category ``insult``.

    Raises
    ------
    StarterError
        If a category lacks a label or a template is not text.
    """
    for key, body in categories.items():
        category = key.partition(".")[0]
        match body:
            case {"spam": bool(spam), "toxic": bool(toxic), "hard": bool(hard), "templates": texts}:
                for text in texts:
                    if not isinstance(text, str):
                        raise StarterError(f"{path}: {key}: {text!r} is not text; quote it")
                    yield Template(text, category, spam, toxic, hard)
            case _:
                raise StarterError(f"{path}: {key} needs spam, toxic, hard and templates")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with each slot replaced by its value."""
    return SLOT.sub(lambda slot: values[slot[1]], text)


def render(template: Template, slots: Slots) -> list[str]:
    """Return up to four messages, the same on every run.

    A slot that occurs twice has one value in a message; no value returns before all were used.

    Raises
    ------
    StarterError
        If the template uses a slot that no file defines.
    """
    names = sorted(set(SLOT.findall(template.text)))
    if unknown := [name for name in names if name not in slots]:
        raise StarterError(f"unknown slots {unknown} in {template.text!r}")
    rng = random.Random(int(template.digest, 16))
    columns = {name: rng.sample(slots[name], len(slots[name])) for name in names}
    n_messages = min(max(map(len, columns.values()), default=1), MESSAGES_PER_TEMPLATE)
    return [
        fill(template.text, {name: column[row % len(column)] for name, column in columns.items()})
        for row in range(n_messages)
    ]


def build_rows(templates: Iterable[Template], slots: Slots) -> list[tuple[str, ...]]:
    """Return the rows of messages.csv, sorted by category, template and text.

    Raises
    ------
    StarterError
        If two messages are equal after lower-casing and folding white space.
    """
    rows: list[tuple[str, ...]] = []
    seen: dict[str, Template] = {}
    for template in templates:
        flags = [str(int(flag)) for flag in (template.spam, template.toxic, template.hard)]
        for text in render(template, slots):
            key = " ".join(text.lower().split())
            if first := seen.get(key):
                raise StarterError(
                    f"message {key!r} comes twice: from {first.text!r} ({first.category}) "
                    f"and {template.text!r} ({template.category})"
                )
            seen[key] = template
            rows.append((text, flags[0], flags[1], template.category, flags[2], template.digest))
    return sorted(rows, key=lambda row: (row[3], row[5], row[0]))


@entry_point
def main() -> None:
    """Write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/starter"))
    folder: Path = parser.parse_args().folder
    paths = sorted(folder.glob("*.yaml"))
    documents = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in paths}
    slots = merge_slots(documents)
    templates = (
        template
        for name, document in documents.items()
        for template in read_templates(name, document["categories"])
    )
    rows = build_rows(templates, slots)
    with (folder / "messages.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
