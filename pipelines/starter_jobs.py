"""Write the starter postings, postings.jsonl, from the blocks in data/starter/jobs/*.yaml."""

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import CareerlensError
from models.postings import Posting, dump_postings
from pipelines.entry import entry_point

PHRASES = "phrases.yaml"
RESUMES = "resumes.yaml"

#: Which tasks the first, second and third posting of a role name; each pair shares one at most.
_TASKS = ((0, 1, 3), (2, 3, 5), (4, 5, 1))
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

Three = Annotated[tuple[str, ...], Field(min_length=3, max_length=3)]


class StarterJobsError(CareerlensError):
    """The building blocks are incomplete; the message names the file and the place."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Role(_Section):
    """One occupation: three titles, and what its postings are put together from."""

    titles: Three
    years: Annotated[tuple[int, ...], Field(min_length=3, max_length=3)]
    field: str
    need: Annotated[tuple[str, ...], Field(min_length=4)]
    plus: Annotated[tuple[str, ...], Field(min_length=3)]
    tasks: str

    @property
    def sentences(self) -> list[str]:
        """The tasks, one sentence each."""
        return self.tasks.strip().splitlines()


class Family(_Section):
    """A family of occupations and the employers that hire in it."""

    remote: bool
    companies: Annotated[tuple[str, ...], Field(min_length=3)]
    roles: dict[str, Role]


def write_posting(
    family: str, role: str, number: int, block: Family, phrases: Mapping[str, Sequence[str]]
) -> Posting:
    """Return posting ``number`` (0, 1 or 2) of a role, the same on every run."""
    seed = sha256(f"{family} {role} {number}".encode()).digest()
    rng = random.Random(seed)
    content = block.roles[role]
    title, years = content.titles[number], content.years[number]
    index = list(block.roles).index(role) + 2 * number
    company, place, about = (
        part.strip() for part in block.companies[index % len(block.companies)].split("|", 2)
    )
    need = [skill for place_, skill in enumerate(content.need) if place_ != 2 + number % 3]
    plus = rng.sample(content.plus, 2)
    remote = block.remote and rng.random() < 0.35

    slots = {"title": title, "field": content.field, "city": place.partition(",")[0]}
    opening = rng.choice(phrases["opening"]).format(**slots)
    wanted = rng.choice(phrases["experienced" if years else "beginner"]).format(
        **slots, skills=_listed(need), years=_asked(years, rng.choice(phrases["years"]))
    )
    preferred = rng.choice(phrases["preferred"]).format(skills=_listed(plus))
    where = rng.choice(phrases["remote" if remote else "on_site"]).format(**slots)
    tasks = [content.sentences[task] for task in _TASKS[number]]
    closing = rng.choice(phrases["closing"])
    head = [about, _article(opening)] if rng.random() < 0.6 else [_article(opening), about]
    paragraphs = [" ".join(head), " ".join(tasks), f"{wanted} {preferred}", f"{where} {closing}"]
    return Posting(
        id=f"starter-{family}-{role}-{number + 1}".replace("_", "-"),
        title=title,
        company=company,
        location=place,
        remote=remote,
        description="\n\n".join(paragraphs),
        skills=(*need, *plus),
        family=family,
        role=role,
    )


def build_postings(
    families: Mapping[str, Family], phrases: Mapping[str, Sequence[str]]
) -> Iterator[Posting]:
    """Yield three postings for every role of every family, in the order of the files."""
    for family, block in families.items():
        for role in block.roles:
            for number in range(3):
                yield write_posting(family, role, number, block, phrases)


def read_families(folder: Path) -> dict[str, Family]:
    """Return the families in the YAML files of ``folder``.

    Raises
    ------
    StarterJobsError
        If a file does not follow the pattern, or two files name one family.
    """
    families: dict[str, Family] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name in (PHRASES, RESUMES):
            continue
        for name, content in yaml.safe_load(path.read_text("utf-8")).items():
            if name in families:
                raise StarterJobsError(f"{path}: the family {name!r} is in another file too")
            try:
                families[name] = Family.model_validate(content)
            except ValidationError as error:
                raise StarterJobsError(f"{path}: {name}: {error}") from error
            for role, block in families[name].roles.items():
                if len(block.sentences) != 6:
                    raise StarterJobsError(f"{path}: {name}: {role} needs six lines of tasks")
    return families


def _listed(skills: Sequence[str]) -> str:
    return f"{', '.join(skills[:-1])} and {skills[-1]}"


def _asked(years: int, wording: str) -> str:
    word = _NUMBER_WORDS[years]
    phrase = wording.format(n=years, word=word, more=years + 2)
    if years == 1 and "-" not in wording and "{more}" not in wording:
        return "at least one year"
    return phrase


def _article(sentence: str) -> str:
    """Write "an" before a vowel, as the ear asks: "an HR Manager", "a UX Designer"."""
    head, found, rest = sentence.partition(" a ")
    if not found:
        head, found, rest = ("", "A ", sentence[2:]) if sentence.startswith("A ") else ("", "", "")
        if not found:
            return sentence
    word = rest.split()[0].rstrip(".?,:")
    spelt = word.isupper() and len(word) <= 3
    vowel = word[0] in ("AEFHILMNORSX" if spelt else "AEIO") or word.startswith(("iOS", "Und"))
    if word.startswith(("Euro", "One")):
        vowel = False
    return f"{head}{found[:-1]}n {rest}" if vowel else sentence


@entry_point
def main() -> None:
    """Write the postings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/starter/jobs"))
    parser.add_argument("--output", type=Path, default=Path("data/starter/postings.jsonl"))
    args = parser.parse_args()
    folder: Path = args.folder
    phrases = yaml.safe_load((folder / PHRASES).read_text("utf-8"))
    output: Path = args.output
    output.write_bytes(dump_postings(build_postings(read_families(folder), phrases)))


if __name__ == "__main__":
    main()
