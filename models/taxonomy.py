"""The skill taxonomy: a table of facts, read with every row checked, written with equal bytes.

One row a skill; what the columns mean is in data/taxonomy/README.md. A spelling belongs to one
skill: two rows that claim the same spelling are an error in a file of ours, while :func:`extended`
lets the first owner keep it.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from models.errors import TaxonomyError
from models.skill_forms import fold_phrase, spellings

Category = Literal["hard", "tool", "language", "soft", "certification"]
Case = Literal["any", "exact"]

COLUMNS = ("name", "aliases", "weak", "category", "case", "implies", "related", "family")

_CATEGORIES = frozenset(get_args(Category))
_CASES = frozenset(get_args(Case))


@dataclass(frozen=True)
class Skill:
    """One row of the taxonomy.

    Attributes
    ----------
    name : str
        The canonical name, as people are shown it.
    aliases : tuple of str
        Other ways to write it.
    weak : tuple of str
        Everyday words among the ways to write it, the name included if it is one: they count only
        beside other skills or after words such as "experience with".
    category : str
        ``hard``, ``tool``, ``language``, ``soft`` or ``certification``.
    case : str
        How spellings of one word count: in ``any`` case, or in the ``exact`` one they have here.
        Spellings of several words, and "nodejs" for "Node.js", count in any.
    implies : tuple of str
        Names of skills that nobody has this one without.
    related : tuple of str
        Names of skills close enough to tell a candidate about.
    family : str
        Skills that can stand in for one another share one; may be empty.
    """

    name: str
    aliases: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    category: Category = "hard"
    case: Case = "any"
    implies: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    family: str = ""

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every way to write it, the name first."""
        return tuple(dict.fromkeys((self.name, *self.aliases, *self.weak)))


@dataclass(frozen=True)
class Spelling:
    """What a folded spelling stands for.

    Attributes
    ----------
    skill : Skill
    written : frozenset of str
        How it is written in the table, where case matters; empty where any case counts.
    weak : bool
        It counts only in company or after a cue.
    """

    skill: Skill
    written: frozenset[str] = frozenset()
    weak: bool = False


@dataclass(frozen=True)
class Taxonomy:
    """A consistent set of skills, by name, in the order of the table."""

    skills: Mapping[str, Skill]

    def closure(self, name: str) -> tuple[str, ...]:
        """Return every skill that ``name`` implies, directly or through others, nearest first."""
        found: dict[str, None] = {}
        waiting = list(self.skills[name].implies)
        for implied in waiting:
            if implied not in found:
                found[implied] = None
                waiting.extend(self.skills[implied].implies)
        return tuple(found)


def load_taxonomy(path: Path) -> Taxonomy:
    """Return the taxonomy in the CSV file at ``path``.

    Raises
    ------
    TaxonomyError
        If the file cannot be read, a row is malformed, a name or spelling is claimed twice, or
        ``implies`` or ``related`` name no skill. The message says which lines.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TaxonomyError(f"{path} cannot be read: {error.strerror}") from error
    return parse_taxonomy(content, str(path))


def parse_taxonomy(content: bytes, name: str) -> Taxonomy:
    """Return the taxonomy in ``content``, the bytes of a CSV file called ``name`` in errors.

    Raises
    ------
    TaxonomyError
        As :func:`load_taxonomy`.
    """
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        numbered = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TaxonomyError(f"{name} is not a CSV file in UTF-8: {error}") from error
    if not numbered or tuple(numbered[0][1]) != COLUMNS:
        raise TaxonomyError(f"{name} does not begin with the columns {','.join(COLUMNS)}")
    skills: dict[str, Skill] = {}
    for line, row in numbered[1:]:
        skill = _parse_row(row, f"{name} line {line}")
        if skill.name in skills:
            raise TaxonomyError(f"{name} line {line}: {skill.name!r} is there already; merge them")
        skills[skill.name] = skill
    taxonomy = Taxonomy(skills)
    problems = [*_dangling(taxonomy), *_circles(taxonomy), *_claimed_twice(taxonomy)]
    if problems:
        raise TaxonomyError(f"{name}: " + "; ".join(problems[:20]))
    return taxonomy


def dump_taxonomy(taxonomy: Taxonomy) -> bytes:
    """Return ``taxonomy`` as a CSV file that :func:`parse_taxonomy` reads; equal for equal ones."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for skill in taxonomy.skills.values():
        aliases, weak, implies, related = map(
            ";".join, (skill.aliases, skill.weak, skill.implies, skill.related)
        )
        row = (skill.name, aliases, weak, skill.category, skill.case, implies, related)
        writer.writerow((*row, skill.family))
    return target.getvalue().encode("utf-8")


def extended(taxonomy: Taxonomy, additions: Iterable[Skill]) -> Taxonomy:
    """Return ``taxonomy`` with what is new in ``additions``.

    A spelling stays with its first owner. An addition whose name is owned already is that skill,
    to which its free aliases go and nothing else of it. What additions imply and relate to is kept
    where ``taxonomy`` has it.
    """
    skills = dict(taxonomy.skills)
    owners = {form: spelling.skill.name for form, spelling in spelling_table(taxonomy).items()}
    for addition in additions:
        form = fold_phrase(addition.name)
        if not form:
            continue
        known = form in owners
        name = owners.setdefault(form, addition.name)
        aliases = _claim(addition.aliases, name, owners)
        if known:
            skills[name] = replace(skills[name], aliases=(*skills[name].aliases, *aliases))
            continue
        weak = (addition.name,) if addition.name in addition.weak else ()
        skills[name] = replace(
            addition,
            aliases=aliases,
            weak=(*weak, *_claim(addition.weak, name, owners)),
            implies=tuple(other for other in addition.implies if other in taxonomy.skills),
            related=tuple(other for other in addition.related if other in taxonomy.skills),
        )
    return Taxonomy(skills)


def _claim(phrases: Iterable[str], name: str, owners: dict[str, str]) -> tuple[str, ...]:
    """Return the phrases that nobody owns, now owned by ``name``."""
    free = []
    for phrase in phrases:
        form = fold_phrase(phrase)
        if form and form not in owners:
            owners[form] = name
            free.append(phrase)
    return tuple(free)


def spelling_table(taxonomy: Taxonomy) -> dict[str, Spelling]:
    """Return every folded spelling of ``taxonomy`` with what it stands for.

    Spellings of the table come first; derived ones (plurals, joints) never override them, and one
    that two skills would derive belongs to neither.
    """
    table: dict[str, Spelling] = {}
    derived: dict[str, Spelling | None] = {}
    for skill in taxonomy.skills.values():
        written: dict[str, set[str]] = {}
        for phrase in skill.phrases:
            written.setdefault(fold_phrase(phrase), set()).add(phrase)
        for form, phrases in written.items():
            table.setdefault(form, _spelling(skill, form, phrases))
        inflect = skill.category in ("hard", "certification") and skill.case == "any"
        of_trait = skill.category == "soft"
        for phrase in skill.phrases:
            # A weak word's plural is as weak.
            owner = Spelling(skill, weak=phrase in skill.weak)
            for form in spellings(phrase, inflect=inflect, of_trait=of_trait):
                first = owner if form in written else derived.setdefault(form, owner)
                if first is not None and first.skill is not skill:
                    derived[form] = None
    table.pop("", None)
    for form, spelling in derived.items():
        if form and spelling is not None:
            table.setdefault(form, spelling)
    return table


def _spelling(skill: Skill, form: str, phrases: set[str]) -> Spelling:
    if not phrases.isdisjoint(skill.weak):
        return Spelling(skill, frozenset(phrases), weak=True)
    if skill.case == "exact" and " " not in form:
        return Spelling(skill, frozenset(phrases))
    return Spelling(skill)


def _parse_row(row: list[str], place: str) -> Skill:
    if len(row) != len(COLUMNS):
        raise TaxonomyError(f"{place} has {len(row)} columns instead of {len(COLUMNS)}")
    name, aliases, weak, category, case, implies, related, family = row
    if not fold_phrase(name) or name != name.strip():
        raise TaxonomyError(f"{place}: {name!r} cannot be a skill's name")
    if category not in _CATEGORIES:
        raise TaxonomyError(f"{place}: category {category!r} is none of {sorted(_CATEGORIES)}")
    if case not in _CASES:
        raise TaxonomyError(f"{place}: case {case!r} is none of {sorted(_CASES)}")
    return Skill(
        name,
        _names(aliases, place),
        _names(weak, place),
        cast("Category", category),
        cast("Case", case),
        _names(implies, place),
        _names(related, place),
        family,
    )


def _names(cell: str, place: str) -> tuple[str, ...]:
    names = tuple(cell.split(";")) if cell else ()
    if any(not fold_phrase(name) or name != name.strip() for name in names):
        raise TaxonomyError(f"{place}: {cell!r} has an empty or padded name; write a;b;c")
    if len(set(names)) < len(names):
        raise TaxonomyError(f"{place}: {cell!r} names something twice")
    return names


def _dangling(taxonomy: Taxonomy) -> Iterator[str]:
    for skill in taxonomy.skills.values():
        for other in (*skill.implies, *skill.related):
            if other not in taxonomy.skills:
                yield f"{skill.name!r} names {other!r}, which is no skill"
            elif other == skill.name:
                yield f"{skill.name!r} names itself"


def _circles(taxonomy: Taxonomy) -> Iterator[str]:
    if any(True for _ in _dangling(taxonomy)):
        return
    for name in taxonomy.skills:
        if name in taxonomy.closure(name):
            yield f"{name!r} implies itself through others"


def _claimed_twice(taxonomy: Taxonomy) -> Iterator[str]:
    owners: dict[str, str] = {}
    for skill in taxonomy.skills.values():
        for phrase in skill.phrases:
            owner = owners.setdefault(fold_phrase(phrase), skill.name)
            if owner != skill.name:
                yield f"{phrase!r} belongs to {owner!r} and to {skill.name!r}"
