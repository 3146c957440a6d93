"""The committed taxonomy: broad, consistent, in canonical form."""

from collections import Counter
from pathlib import Path

import pytest

from models.skill_forms import fold_phrase
from models.taxonomy import (
    Taxonomy,
    dump_taxonomy,
    load_taxonomy,
    parse_taxonomy,
    spelling_table,
)

PATH = Path("data/taxonomy/skills.csv")


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy(PATH)


def test_there_are_at_least_1500_skills_with_more_aliases_than_skills(taxonomy: Taxonomy) -> None:
    assert len(taxonomy.skills) >= 1500
    assert sum(len(skill.phrases) - 1 for skill in taxonomy.skills.values()) > len(taxonomy.skills)


def test_every_category_is_there_and_soft_skills_do_not_dominate(taxonomy: Taxonomy) -> None:
    counts = Counter(skill.category for skill in taxonomy.skills.values())
    assert set(counts) == {"hard", "tool", "language", "soft", "certification"}
    assert min(counts.values()) >= 50
    assert counts["soft"] < len(taxonomy.skills) / 10


def test_reading_and_writing_it_gives_the_same_bytes() -> None:
    content = PATH.read_bytes()
    assert dump_taxonomy(parse_taxonomy(content, "skills.csv")) == content


def test_rows_are_in_order(taxonomy: Taxonomy) -> None:
    keys = [
        (skill.category, skill.family.casefold(), skill.name.casefold(), skill.name)
        for skill in taxonomy.skills.values()
    ]
    assert keys == sorted(keys)


def test_every_spelling_of_the_table_leads_to_its_own_skill(taxonomy: Taxonomy) -> None:
    table = spelling_table(taxonomy)
    lost = [
        (skill.name, phrase)
        for skill in taxonomy.skills.values()
        for phrase in skill.phrases
        if table[fold_phrase(phrase)].skill is not skill
    ]
    assert lost == []


def test_weak_words_are_spellings_that_the_firm_ones_do_not_repeat(taxonomy: Taxonomy) -> None:
    doubled = [
        (skill.name, phrase)
        for skill in taxonomy.skills.values()
        for phrase in skill.weak
        if fold_phrase(phrase) in {fold_phrase(alias) for alias in skill.aliases}
    ]
    assert doubled == []


def test_a_family_has_at_least_two_members_of_one_category(taxonomy: Taxonomy) -> None:
    members: dict[str, Counter[str]] = {}
    for skill in taxonomy.skills.values():
        if skill.family:
            members.setdefault(skill.family, Counter())[skill.category] += 1
    assert [family for family, kinds in members.items() if kinds.total() < 2] == []
    assert [family for family, kinds in members.items() if len(kinds) > 1] == []


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("k8s", "Kubernetes"),
        ("JS", "JavaScript"),
        ("py", "Python"),
        ("golang", "Go"),
        ("PPC", "Search engine marketing"),
        ("postgres", "PostgreSQL"),
        ("AWS SAA", "AWS Certified Solutions Architect"),
        ("MS Excel", "Microsoft Excel"),
        ("NLP", "Natural language processing"),
        ("FP&A", "Financial planning and analysis"),
        ("month-end closing", "Month-end close"),
        ("venipuncture", "Phlebotomy"),
        ("EHR", "Electronic health records"),
        ("IEP", "Individualized education programs"),
        ("GMAW", "MIG welding"),
        ("forklift", "Forklift operation"),
        ("sommelier", "Wine knowledge"),
        ("drywall", "Drywall installation"),
        ("conveyancing", "Real estate law"),
        ("Deutsch", "German"),
        ("Farsi", "Persian"),
        ("people skills", "Interpersonal skills"),
        ("CISSP", "CISSP"),
        ("certified public accountant", "CPA"),
        ("CDL", "Commercial driver's license"),
        ("ServSafe", "ServSafe"),
    ],
)
def test_what_people_write_is_known(taxonomy: Taxonomy, spelling: str, name: str) -> None:
    assert spelling_table(taxonomy)[fold_phrase(spelling)].skill.name == name


@pytest.mark.parametrize(
    ("name", "implied"),
    [
        ("Next.js", {"React", "JavaScript"}),
        ("PyTorch", {"Python", "Machine learning"}),
        ("Amazon EKS", {"Amazon Web Services", "Kubernetes"}),
        ("Microsoft SQL Server", {"SQL"}),
        ("Registered Nurse", {"Nursing"}),
        ("CPA", {"Accounting"}),
        ("TIG welding", {"Welding"}),
    ],
)
def test_what_follows_from_a_skill_is_implied(
    taxonomy: Taxonomy, name: str, implied: set[str]
) -> None:
    assert implied <= set(taxonomy.closure(name))


@pytest.mark.parametrize(
    ("name", "other"),
    [("HTML", "JavaScript"), ("Maven", "CI/CD"), ("Jira", "Project management"), ("SQL", "MySQL")],
)
def test_what_does_not_follow_is_not_implied(taxonomy: Taxonomy, name: str, other: str) -> None:
    assert other not in taxonomy.closure(name)
