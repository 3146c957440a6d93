"""Reading, writing and extending the skill table."""

from pathlib import Path

import pytest

from models.skills import SkillMatcher
from models.taxonomy import (
    COLUMNS,
    Skill,
    Taxonomy,
    TaxonomyError,
    dump_taxonomy,
    extended,
    load_taxonomy,
    parse_taxonomy,
)

HEAD = ",".join(COLUMNS) + "\n"


def table(*rows: str) -> Taxonomy:
    return parse_taxonomy((HEAD + "".join(f"{row}\n" for row in rows)).encode(), "skills.csv")


SMALL = table(
    "SQL,Structured Query Language,,tool,any,,,",
    "PostgreSQL,Postgres;psql,,tool,any,SQL,MySQL,relational database",
    "MySQL,,,tool,any,SQL,,relational database",
    "Chef Infra,Opscode Chef,Chef,tool,any,,,",
    "Go,golang,,tool,exact,,,",
)


def test_a_row_becomes_a_skill() -> None:
    assert SMALL.skills["PostgreSQL"] == Skill(
        name="PostgreSQL",
        aliases=("Postgres", "psql"),
        category="tool",
        implies=("SQL",),
        related=("MySQL",),
        family="relational database",
    )
    assert SMALL.skills["Chef Infra"].weak == ("Chef",)
    assert SMALL.skills["Go"].case == "exact"


def test_what_is_written_reads_the_same() -> None:
    content = dump_taxonomy(SMALL)
    assert parse_taxonomy(content, "again.csv") == SMALL
    assert dump_taxonomy(parse_taxonomy(content, "again.csv")) == content


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["SQL,,,tool"], "line 2 has 4 columns"),
        (["SQL,,,product,any,,,"], "category 'product'"),
        (["SQL,,,tool,upper,,,"], "case 'upper'"),
        ([" SQL,,,tool,any,,,"], "cannot be a skill's name"),
        (["...,,,tool,any,,,", "SQL,;,,tool,any,,,"], "empty or padded"),
        (["SQL,a; b,,tool,any,,,"], "empty or padded"),
        (["SQL,a;a,,tool,any,,,"], "names something twice"),
        (["SQL,,,tool,any,,,", "SQL,,,hard,any,,,"], "line 3: 'SQL' is there already"),
        (["SQL,,,tool,any,Databases,,"], "'SQL' names 'Databases', which is no skill"),
        (["SQL,,,tool,any,,SQL,"], "'SQL' names itself"),
        (["A,,,tool,any,B,,", "B,,,tool,any,A,,"], "implies itself"),
        (["Node.js,,,tool,any,,,", "Nodes,node JS,,hard,any,,,"], "'node JS' belongs to 'Node.js'"),
        (["Software,testing,,hard,any,,,", "Testing,,,hard,any,,,"], "belongs to 'Software'"),
        (['SQL,"a,,,tool,any,,,'], "not a CSV file"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(rows: list[str], message: str) -> None:
    with pytest.raises(TaxonomyError, match=r"skills\.csv") as caught:
        table(*rows)
    assert message in str(caught.value)


def test_other_columns_are_refused() -> None:
    with pytest.raises(TaxonomyError, match="does not begin with the columns name,aliases"):
        parse_taxonomy(b"skill,kind\nSQL,tool\n", "skills.csv")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00"])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(TaxonomyError, match=r"skills\.csv"):
        parse_taxonomy(content, "skills.csv")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"none\.csv cannot be read"):
        load_taxonomy(tmp_path / "none.csv")


def test_implication_goes_through_others_nearest_first() -> None:
    chain = table("A,,,tool,any,B;C,,", "B,,,tool,any,D,,", "C,,,tool,any,,,", "D,,,tool,any,,,")
    assert chain.closure("A") == ("B", "C", "D")
    assert chain.closure("D") == ()


def test_extension_adds_what_is_new() -> None:
    larger = extended(SMALL, [Skill("Ada", ("Ada 95",), implies=("SQL", "Unknown"))])
    assert larger.skills["Ada"] == Skill("Ada", ("Ada 95",), implies=("SQL",))
    assert SkillMatcher(larger).name_of("ada-95") == "Ada"
    assert "Ada" not in SMALL.skills


def test_extension_leaves_spellings_with_their_first_owner() -> None:
    additions = [
        Skill("postgres", ("Postgre", "structured-query language"), category="hard"),
        Skill("Query languages", ("SQL", "query language")),
        Skill("query language"),
    ]
    matcher = SkillMatcher(extended(SMALL, additions))
    assert matcher.name_of("Postgre") == "PostgreSQL"
    assert matcher.name_of("structured query language") == "SQL"
    assert matcher.name_of("sql") == "SQL"
    assert matcher.name_of("query language") == "Query languages"
    assert matcher.taxonomy.skills["PostgreSQL"].category == "tool"
    assert "query language" not in matcher.taxonomy.skills


def test_an_extended_taxonomy_is_as_consistent_as_one_of_ours() -> None:
    additions = [
        Skill(f"{verb} {noun}") for verb in ("manage", "plan") for noun in ("SQL", "stocks", "!")
    ]
    larger = extended(SMALL, [*additions, *additions])
    assert parse_taxonomy(dump_taxonomy(larger), "larger.csv") == larger
    assert len(larger.skills) == len(SMALL.skills) + 6
