"""Spellings judged by compiled code against the rules in Python: the same mentions everywhere."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.fast_mentions import FastMentions, exercise
from models.fast_skills import FastFinder
from models.postings import load_postings
from models.skill_context import FOLLOWS_NOUNS, LIST_MARKS, RULES, SMALL_CUES
from models.skill_guards import is_alpha, is_title, is_upper
from models.skill_matcher import SkillMatcher
from models.taxonomy import Skill, Taxonomy, load_taxonomy, spelling_table
from tests.factories import ROOT

exercise()  # the first call loads kernels and tables, which is no example's time


class Both:
    """The skills of a taxonomy, found both ways."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.matcher = SkillMatcher(taxonomy)
        table = list(spelling_table(taxonomy).items())
        self.skills = [spelling.skill for _, spelling in table]
        self.fast = FastMentions(FastFinder([form for form, _ in table]), table)

    def mentions(self, text: str) -> list[tuple[str, int, int]] | None:
        """Return what compiled code finds, None if it does not know."""
        found = self.fast.find(text)
        if found is None:
            return None
        return [(self.skills[number].name, start, end) for number, start, end in found]

    def check(self, text: str) -> int:
        """Check that both ways find the same in a text; return how much, 0 if only one knows."""
        found = self.mentions(text)
        if found is None:
            return 0
        judged = [(skill.name, start, end) for skill, start, end in self.matcher.judged(text)]
        assert found == judged
        return len(judged)


BOTH = Both(load_taxonomy(Path("data/taxonomy/skills.csv")))
GUARDS = BOTH.fast.guards
TABLE = spelling_table(BOTH.matcher.taxonomy)

RULED = sorted({spelling for rule in RULES for spelling in rule.spellings.split("|")})
GUARDED = sorted(
    {form for form, spelling in TABLE.items() if spelling.weak}
    | {variant for spelling in TABLE.values() for variant in spelling.written}
)
SURE = ["Python", "sql", "Docker", "German", "teamwork", "CPA", "project management"]
_WORDS = (
    "to the a us on via our you public at well as high school of and 2024 20245 intern interns & ' "
    "experienced inexperience such e g like stack : knowledge skillful developer programming John "
    "WE LOVE Work © → resistances proofreading belt team \n \n\n ﬁ ǅ Σ É ² · \u200b a@b.org 精"
)
CONTEXT = sorted({*LIST_MARKS, *FOLLOWS_NOUNS, *SMALL_CUES, ". ", *_WORDS.split(" ")})
PIECES = st.one_of(
    *(st.sampled_from(RULED), st.sampled_from(GUARDED), st.sampled_from(SURE)),
    *(st.sampled_from(CONTEXT), st.sampled_from(CONTEXT), st.text(max_size=3)),
)
AS_WRITTEN = st.sampled_from([str, str, str.upper, str.title, str.lower, str.capitalize])
WORDS = st.builds(lambda piece, change: change(piece), PIECES, AS_WRITTEN)


@settings(max_examples=800)
@given(st.lists(WORDS, min_size=1, max_size=14), st.sampled_from([" ", " ", ", ", "\n", ""]))
def test_any_text_is_judged_as_the_rules_judge_it(words: list[str], joint: str) -> None:
    BOTH.check(joint.join(words))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.spellings[:12])
@settings(max_examples=12)
@given(data=st.data())
def test_every_rule_is_applied_alike(rule, data) -> None:
    def some_of(pattern: str) -> str:
        return data.draw(st.from_regex(pattern, fullmatch=True)) if pattern else ""

    spelling = data.draw(st.sampled_from(rule.spellings.split("|")))
    written = data.draw(st.sampled_from([spelling, *TABLE[spelling].written, spelling.title()]))
    before = data.draw(st.sampled_from(["", "python, ", "skills: "]))
    BOTH.check(f"{before}{some_of(rule.before)} {written} {some_of(rule.after)} python")
    BOTH.check(f"{before}{written} {some_of(rule.unless)}")
    BOTH.check(f"{before}{some_of(rule.before)}. {written}\n{some_of(rule.after)}")


def test_postings_are_judged_alike_in_any_case() -> None:
    count = 0
    for posting in load_postings(ROOT / "data" / "starter" / "postings.jsonl"):
        text = posting.description or ""
        for change in (str, str.upper, str.title, str.lower):
            changed = change(text).replace(" ", "\u00a0") if change is str.title else change(text)
            count += BOTH.check(changed)
    assert count > 3_000


def test_what_only_looks_like_a_spelling_in_its_own_case_is_left_to_python() -> None:
    assert BOTH.mentions("Statistics in Ｒ, charts in Tableau") is None
    assert [hit.name for hit in BOTH.matcher.extract("Models in Ｒ and Python") if hit.stated] == [
        "R",
        "Python",
    ]
    assert BOTH.mentions("Models in R — and Python") == [("R", 10, 11), ("Python", 18, 24)]


def test_addresses_are_taken_out() -> None:
    text = "see github.com/python/java and Go, or jane@python.org, Rust"
    assert BOTH.check(text) == 2


def test_a_small_taxonomy_and_none_are_judged_alike() -> None:
    skills = [
        Skill("Basket weaving", weak=("weaving",)),
        Skill("Pottery"),
        Skill("É", case="exact"),
    ]
    small = Both(Taxonomy({skill.name: skill for skill in skills}))
    assert small.check("pottery, weaving through the crowd; weaving. É") == 3
    assert small.check("weaving é") == 0
    assert Both(Taxonomy({})).check("Python") == 0


@given(st.text(max_size=5) | st.text("aBǅΣß1ª ", max_size=5))
def test_case_is_told_as_python_tells_it(text: str) -> None:
    raw = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).copy()
    known = [bool(ask(GUARDS, raw, 0, len(raw))) for ask in (is_title, is_upper)]
    assert known == [text.istitle(), text.isupper()]
    if text:
        assert bool(is_alpha(GUARDS, raw, 0, len(raw))) == text.isalpha()
