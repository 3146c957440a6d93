"""Which skills the matcher finds in a text, and where."""

import gc
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import skill_context
from models.skill_context import RULES, has_cue
from models.skill_forms import fold_phrase
from models.skills import SkillMatcher, load_taxonomy
from models.taxonomy import Skill, Taxonomy, spelling_table

MATCHER = SkillMatcher(load_taxonomy(Path("data/taxonomy/skills.csv")))
SPELLINGS = spelling_table(MATCHER.taxonomy)


def stated(text: str) -> list[str]:
    return [hit.name for hit in MATCHER.extract(text) if hit.stated]


def written(text: str, name: str) -> list[str]:
    hits = [hit for hit in MATCHER.extract(text) if hit.name == name]
    return [text[start:end] for hit in hits for start, end in hit.spans]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Wrote services in Go and Rust.", ["Go", "Rust"]),
        ("Statistics in R, charts in Tableau", ["Statistical analysis", "R", "Tableau"]),
        ("C, C++ and C#", ["C", "C++", "C#"]),
        ("C/C++ on embedded Linux", ["C", "C++", "Embedded Linux"]),
        ("built on .NET with VB.NET", [".NET", "VB.NET"]),
        ("REST services, SOAP", ["REST APIs", "SOAP"]),
        ("experience with SAP and SAS", ["SAP", "SAS"]),
        ("Polish and Danish", ["Polish", "Danish"]),
    ],
)
def test_short_names_count_in_their_own_case(text: str, names: list[str]) -> None:
    assert stated(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "we go where the work is",
        "take some rest after the shift",
        "it is what it is",
        "polish the draft before you send it",
        "the sap of a maple tree",
        "John R. Smith and Anna C. Jones",
        "MAKE IT HAPPEN WITH US",
        "Vitamin C and a section C heading",
        "San Francisco, near the river",
    ],
)
def test_everyday_words_in_another_case_do_not(text: str) -> None:
    assert stated(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Skills: c, r, go, rust, python", ["C", "R", "Go", "Rust", "Python"]),
        ("python\ngo\nterraform", ["Python", "Go", "Terraform"]),
        ("knowledge of excel", ["Microsoft Excel"]),
        ("proficient in word, excel and powerpoint",
         ["Microsoft Word", "Microsoft Excel", "Microsoft PowerPoint"]),
        ("Chef, Puppet and Ansible", ["Chef Infra", "Puppet", "Ansible"]),
        ("Terraform, Chef", ["Terraform", "Chef Infra"]),
        ("driven, highly motivated and curious", ["Self-motivation", "Curiosity"]),
        ("experience with OpenAI and LangChain", ["OpenAI API", "LangChain"]),
        ("OpenAI\nSenior Software Engineer, 2020 - 2024", []),
        ("a nurse at Facebook in Dublin", []),
        ("swaps are easy, the team helps", []),
    ],
)  # fmt: skip
def test_company_or_a_cue_vouches_for_an_everyday_word(text: str, names: list[str]) -> None:
    assert stated(text) == names


@pytest.mark.parametrize(
    ("skill", "friend", "false_friend"),
    [
        (
            "Go",
            "We write Go for speed, and Python.",
            "Ready to Go live with a Go to person, Python too.",
        ),
        (
            "Microsoft Excel",
            "Proficient in Excel as well as Word",
            "Excel at what you do; Excel as a leader; you will excel in this",
        ),
        ("R", "Models in R and Python", "Python, R&D budgets"),
        ("C", "Firmware in C and Python", "Python, C-level and C-suite contacts"),
        ("Spring", "Java and Spring", "Java course, Spring 2024 semester"),
        ("React", "React and Redux", "Redux users React quickly"),
        ("Rust", "Rust and Python", "Python shops in the Rust Belt"),
        ("Ruby", "Ruby and Python", "Python, Ruby red lipstick"),
        ("Swift", "Swift and Kotlin", "Kotlin team, Swift response"),
        ("Express.js", "Node.js and Express", "Node.js; American Express interest rates"),
        ("REST APIs", "REST and GraphQL", "GraphQL, and the REST of it"),
        ("Microsoft Word", "Excel and Word", "Excel, Word of mouth"),
        ("Microsoft Access", "Excel, Word, Access", "experience with access to data, Excel"),
        ("GNU Make", "CMake, Make and Bazel", "Bazel and Make sure it builds"),
        ("Lean", "Lean and Six Sigma", "Six Sigma, Lean on us"),
        ("Oracle Database", "MySQL, Oracle, MongoDB", "MySQL, Oracle of Delphi"),
        ("Microsoft Teams", "Slack, Zoom and Teams", "Slack, teams of five"),
        (
            "Insurance",
            "Banking, insurance, pensions",
            "Benefits: health insurance, dental insurance",
        ),
        ("French", "Fluent in French", "French companies, French cuisine"),
        ("Leadership", "Coaching and leadership", "You report to senior leadership"),
        ("Information technology", "background in IT", "Help IT get better, WE LOVE IT HERE"),
        ("Recruitment", "Seven years of recruitment", "our hiring process, we are hiring"),
        ("Writing", "Editing and writing", "I am writing to you for a job in editing"),
        ("Self-motivation", "highly motivated, driven and curious", "data driven, to drive growth"),
    ],
)
def test_context_tells_friends_from_false_ones(skill: str, friend: str, false_friend: str) -> None:
    assert skill in stated(friend)
    assert skill not in stated(false_friend)


def test_a_capital_that_any_word_would_have_is_no_evidence() -> None:
    assert stated("Express your interest. Swift replies guaranteed.\nRuby Johnson") == []
    assert stated("Ruby developer\nReact, Redux") == ["Ruby", "React", "Redux"]


def test_every_rule_has_a_reason_and_is_about_spellings_of_the_taxonomy() -> None:
    for rule in RULES:
        assert rule.reason
        assert rule.before or rule.after
        assert [word for word in rule.spellings.split("|") if word not in SPELLINGS] == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Microsoft SQL Server", ["Microsoft SQL Server"]),
        ("SQL, SQL Server", ["SQL", "Microsoft SQL Server"]),
        ("React Native", ["React Native"]),
        ("AWS Lambda on AWS", ["AWS Lambda", "Amazon Web Services"]),
        ("customer service", ["Customer service"]),
        ("go-to-market in Go", ["Product marketing", "Go"]),
    ],
)
def test_the_longest_spelling_wins(text: str, names: list[str]) -> None:
    assert stated(text) == names


def test_what_a_longer_name_contains_is_implied_instead() -> None:
    hits = {hit.name: hit for hit in MATCHER.extract("Microsoft SQL Server")}
    assert hits["SQL"].stated is False
    assert hits["SQL"].spans == ()


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("Node.js", ["Node.js", "NodeJS", "node js", "node-js", "NODE.JS", "nodejs"]),
        ("Machine learning", ["machine learning", "machine-learning", "Machine\nLearning"]),
        ("Machine learning", ["machine\u00a0learning", "Machine_Learning", "machine–learning"]),
        ("API development", ["API", "APIs", "apis"]),
        ("Spreadsheets", ["spreadsheet", "spreadsheets"]),
        ("Front-end development", ["frontend", "front-end", "front end", "Front-End development"]),
        ("CI/CD", ["CI/CD", "CI / CD", "ci cd", "CICD"]),
        ("Research and development", ["R&D", "R & D", "research & development"]),
        ("Driver's license", ["driver's license", "Driver’s license", "drivers license"]),
        ("ASP.NET", ["ASP.NET", "asp.net", "ASP NET"]),
        ("Multilingualism", ["bilingual", "BILINGUAL"]),
        ("French", ["français", "FRANÇAIS", "Franc\u0327ais"]),
        ("Leadership", ["leadership", "leadership skills"]),
    ],
)
def test_variants_are_one_skill(name: str, spellings: list[str]) -> None:
    for spelling in spellings:
        text = f"Good with {spelling}, really"
        assert name in stated(text), spelling
        assert fold_phrase(written(text, name)[0]) == fold_phrase(spelling)


@pytest.mark.parametrize("text", ["javascripted", "xsql", "SQLx", "pythonic", "reactor", "Leeds"])
def test_parts_of_words_are_no_skills(text: str) -> None:
    assert stated(text) == []


@pytest.mark.parametrize("text", ["Data. Science", "machine, learning", "project\n\nmanagement"])
def test_marks_and_paragraphs_part_what_would_be_a_phrase(text: str) -> None:
    assert not {"Data science", "Machine learning", "Project management"} & set(stated(text))


def test_addresses_are_not_read() -> None:
    assert stated("mail java@python.org or see https://react.dev/rust, github.com/docker/sql") == []


@pytest.mark.parametrize(
    ("text", "name", "where"),
    [
        ("🎉🎉 Python", "Python", "Python"),
        ("熟悉Python和Ｊａｖａ开发", "Python", "Python"),
        ("熟悉Python和Ｊａｖａ开发", "Java", "Ｊａｖａ"),
        ("ﬁrst, oﬃce work in Kubernetes", "Kubernetes", "Kubernetes"),
        ("e\u0301te\u0301 İstanbul ß — Ｐｙｔｈｏｎ", "Python", "Ｐｙｔｈｏｎ"),
        ("zero\u200bwidth Doc\u00adker", "Docker", "Doc\u00adker"),
        ("financial analysis by o\ufb03ce", "Financial analysis", "financial analysis"),
        ("\ud83d SQL", "SQL", "SQL"),
    ],
)
def test_offsets_count_code_points_of_the_raw_text(text: str, name: str, where: str) -> None:
    assert written(text, name) == [where]


def test_hits_come_in_order_of_appearance_and_implied_ones_last() -> None:
    hits = MATCHER.extract("Docker, then React, then Docker and PostgreSQL")
    assert [hit.name for hit in hits if hit.stated] == ["Docker", "React", "PostgreSQL"]
    assert [hit.stated for hit in hits] == sorted((hit.stated for hit in hits), reverse=True)
    assert len(hits[0].spans) == 2
    implied = [hit.name for hit in hits if not hit.stated]
    assert {"JavaScript", "SQL", "Containerization"} <= set(implied)
    assert len(implied) == len(set(implied))


def test_a_stated_skill_is_not_implied_as_well() -> None:
    hits = [hit for hit in MATCHER.extract("React and JavaScript") if hit.name == "JavaScript"]
    assert [(hit.stated, len(hit.spans)) for hit in hits] == [(True, 1)]


@pytest.mark.parametrize("text", ["", " \n\t ", "!?", "\x00", "🎉"])
def test_a_text_without_words_has_no_skills(text: str) -> None:
    assert MATCHER.extract(text) == []


def test_a_phrase_has_its_canonical_name() -> None:
    assert MATCHER.name_of("node-JS") == "Node.js"
    assert MATCHER.name_of("APIs") == "API development"
    assert MATCHER.name_of("no such thing") is None
    assert MATCHER.name_of("") is None


def test_an_empty_taxonomy_finds_nothing() -> None:
    assert SkillMatcher(Taxonomy({})).extract("Python and SQL") == []


def test_weak_words_of_a_larger_taxonomy_wait_for_company() -> None:
    skills = [Skill("Basket weaving", weak=("weaving",)), Skill("Pottery")]
    matcher = SkillMatcher(Taxonomy({skill.name: skill for skill in skills}))
    assert matcher.extract("weaving through the crowd") == []
    assert [hit.name for hit in matcher.extract("pottery, weaving")] == [
        "Pottery",
        "Basket weaving",
    ]


_PHRASES = sorted(phrase for skill in MATCHER.taxonomy.skills.values() for phrase in skill.phrases)
_GLUE = [
    ", ",
    " and ",
    "\n",
    "\n\n",
    " at ",
    " in ",
    ". ",
    " ",
    "🎉",
    "é",
    "e\u0301",
    "ﬁ",
    "İ",
    "精",
]
_PIECES = st.one_of(st.sampled_from(_PHRASES), st.sampled_from(_GLUE), st.text(max_size=6))


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=12).map("".join))
def test_every_span_spells_its_skill_and_spans_do_not_overlap(text: str) -> None:
    end_before = 0
    for skill, start, end in MATCHER.mentions(text):
        assert end_before <= start < end <= len(text)
        end_before = end
        assert SPELLINGS[fold_phrase(text[start:end])].skill is skill


@pytest.mark.parametrize(
    "unit",
    ["go ", "c, ", "excel in ", "IT ", "a.", "\n", " \n", "a@", "www.", "com/a", "e\u0301", "精Go",
     "python, go, ", "machine learning and ", "Express ", "R&"],
)  # fmt: skip
def test_time_is_linear_in_the_length_of_hostile_texts(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        gc.collect()
        gc.disable()  # many mentions make it walk everything, as few do not
        try:
            begin = time.process_time()
            MATCHER.extract(text)
            return time.process_time() - begin
        finally:
            gc.enable()

    # Quadratic work would take 64 times as long for eight times the text.
    long = min(seconds(200_000) for _ in range(2))
    assert long < 10.0
    assert long < 40 * min(seconds(25_000) for _ in range(2)) + 0.1


def test_an_ordinary_text_takes_less_than_a_millisecond() -> None:
    words = (
        "we build services in Python and Go with PostgreSQL, teamwork and Excel at the core of it"
    )
    text = " ".join(random.Random(1).choices(words.split(), k=200))
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        MATCHER.extract(text)
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.001


@given(
    st.lists(
        st.sampled_from(
            [
                "skills",
                "inexperience",
                "using",
                "in",
                "such",
                "as",
                "e",
                "g",
                "stack",
                ":",
                "\n",
                "x",
            ]
        ),
        max_size=6,
    )
)
def test_a_cue_is_seen_wherever_its_whole_pattern_is(words):
    line = "".join(f"{word} " for word in words if word != "\n")
    expected = skill_context._CUE_BEFORE.search(f" {line}") is not None
    assert has_cue(words, len(words), len(words), own_case=False) == expected
