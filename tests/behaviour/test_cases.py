"""Each kind of case fails where a model does what it must not, and says what that was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from models.manifest import KINDS, Kind, Thresholds
from models.matching import IndexParams, Posting, build_index
from models.skill_matcher import SkillMatcher
from models.skill_model import SkillModel
from models.skills import importance
from models.taxonomy import Skill, Taxonomy
from pipelines.behaviour import (
    CASES,
    FOLDER,
    BehaviourError,
    PostingsRaised,
    SamePostings,
    SameSkills,
    SkillsBrought,
    SkillsFound,
    TitlesFound,
    read_suite,
    run_suite,
)
from pipelines.behaviour_cases import Case
from pipelines.behaviour_text import (
    EDITS,
    CategoryTold,
    Edit,
    Judge,
    SameScore,
    SameVerdict,
    ScoreChange,
    Verdict,
)
from tests.factories import ROOT, tiny_pipeline

JUDGE = Judge(tiny_pipeline("spam"), Thresholds(review=0.5, block=0.9))
TOXIC_JUDGE = Judge(tiny_pipeline("toxicity"), Thresholds(review=0.5, block=0.9))
THREAT, COARSE = "I will find you and hurt you", "Fuck this shit and fuck you"
SPAM = "Claim your free prize now at http://win.example"
HAM = "Are you free on Monday for the interview?"


def few_skills() -> SkillModel:
    """Return a model that knows three skills."""
    skills = (Skill("Python"), Skill("Docker"), Skill("Welding"))
    return SkillModel(SkillMatcher(Taxonomy({skill.name: skill for skill in skills})))


def few_postings() -> Any:
    """Return an index of bakers and welders."""
    postings = [
        Posting(id=f"{job}-{number}", title=job.title(), description=text * 2)
        for job, text in (
            ("baker", "You knead dough, bake bread and clean the oven of our bakery. "),
            ("welder", "You weld steel pipes, read drawings and grind every seam. "),
        )
        for number in range(6)
    ]
    matcher = few_skills().matcher
    return build_index(postings, matcher, importance, params=IndexParams(duplicate_cosine=1.0))


INDEX = few_postings()
SKILLS = few_skills()
BAKES = "Bread and dough: I bake in an oven"


@pytest.mark.parametrize(
    ("case", "model", "what"),
    [
        (Verdict(id="x", text=SPAM, flagged=False), JUDGE, "is flagged at"),
        (Verdict(id="x", text=HAM, flagged=True), JUDGE, "passes at"),
        (SameScore(id="x", texts=(SPAM, HAM), within=0.1), JUDGE, "scores"),
        (
            SameVerdict(id="x", text=HAM, flagged=True, edits=("emoji",)),
            JUDGE,
            f"'{HAM}' passes at",
        ),
        (
            CategoryTold(id="x", text=COARSE, category="threat", above=(HAM, THREAT)),
            TOXIC_JUDGE,
            f"for '{THREAT}'",
        ),
        (
            ScoreChange(id="x", text=HAM, added=THREAT, change="lowers", category="threat"),
            TOXIC_JUDGE,
            "the score goes from",
        ),
        (ScoreChange(id="x", text=HAM, added=SPAM, change="lowers"), JUDGE, "the score goes from"),
        (ScoreChange(id="x", text=SPAM, added=HAM, change="raises"), JUDGE, "the score goes from"),
        (SkillsFound(id="x", text="Python", finds=("Rust",), spares=()), SKILLS, "misses Rust"),
        (SkillsFound(id="x", text="Python", finds=(), spares=("Python",)), SKILLS, "finds Python"),
        (SameSkills(id="x", texts=("Python", "Docker")), SKILLS, "misses Python and finds Docker"),
        (SameSkills(id="x", texts=("tea", "milk")), SKILLS, "nothing is found"),
        (SkillsBrought(id="x", text="Python", added="tea", brings=("Docker",)), SKILLS, "misses"),
        (
            SkillsBrought(id="x", text="Docker", added="too", brings=("Docker",)),
            SKILLS,
            "Docker is there before",
        ),
        (TitlesFound(id="x", text=BAKES, title="welder", least=6), INDEX, "0 of 6 titles fit"),
        (SamePostings(id="x", texts=(BAKES, "I weld steel"), shared=3), INDEX, "shares 0"),
        (
            PostingsRaised(id="x", text=BAKES, added="and play chess", title="baker"),
            INDEX,
            "the best score goes from",
        ),
        (PostingsRaised(id="x", text=BAKES, added="x", title="pilot"), INDEX, "no posting has"),
    ],
)
def test_a_fault_is_named(case: Case[Any], model: Any, what: str) -> None:
    fault = case.fault(model)
    assert fault is not None
    assert what in fault


@pytest.mark.parametrize(
    ("case", "model"),
    [
        (Verdict(id="x", text=SPAM, flagged=True), JUDGE),
        (SameScore(id="x", texts=(SPAM,), disguises=("capitals",), within=1e-9), JUDGE),
        (SameVerdict(id="x", text=SPAM, flagged=True, edits=("emoji", "capitals")), JUDGE),
        (CategoryTold(id="x", text=THREAT, category="threat", above=(HAM, COARSE)), TOXIC_JUDGE),
        (ScoreChange(id="x", text=HAM, added=SPAM, change="raises"), JUDGE),
        (SkillsFound(id="x", text="Python", finds=("Python",), spares=("Docker",)), SKILLS),
        (SameSkills(id="x", texts=("Python", "PYTHON!")), SKILLS),
        (SkillsBrought(id="x", text="Python", added="Docker", brings=("Docker",)), SKILLS),
        (TitlesFound(id="x", text=BAKES, title="baker", least=6), INDEX),
        (SamePostings(id="x", texts=(BAKES, BAKES.upper()), shared=6), INDEX),
        (PostingsRaised(id="x", text="I play chess", added=BAKES, title="baker"), INDEX),
    ],
)
def test_a_case_that_is_met_has_no_fault(case: Case[Any], model: Any) -> None:
    assert case.fault(model) is None


@pytest.mark.parametrize(
    ("edit", "becomes"),
    [
        ("greeting", "Hello, I hope you are well. Useless plan!"),
        ("thanks", "Useless plan!, thank you"),
        ("emoji", "👋 Useless plan! 🙏🎉"),
        ("typos", "Usleess plan!"),
        ("names", "Chidi, Useless plan!"),
        ("capitals", "USELESS PLAN!"),
        ("no marks", "Useless plan"),
    ],
)
def test_an_edit_changes_what_its_name_says(edit: Edit, becomes: str) -> None:
    assert becomes in EDITS[edit]("Useless plan!")


def test_an_edit_that_turns_the_verdict_is_named_with_its_text() -> None:
    (score,) = JUDGE.scores(HAM)
    (edited,) = JUDGE.scores(f"Hello, I hope you are well. {HAM}")
    between = Judge(JUDGE.pipeline, Thresholds(review=(score + edited) / 2, block=1.0))
    case = SameVerdict(id="x", text=HAM, flagged=score > edited, edits=("greeting",))
    fault = case.fault(between)
    assert score != edited
    assert fault is not None
    assert fault.startswith(f"'Hello, I hope you are well. {HAM}' ")


def write_suite(folder: Path, text: str) -> Path:
    (folder / "spam.yaml").write_text(text, encoding="utf-8")
    return folder


MINIMAL = """
minimum: [{{id: a, text: "{ham}", flagged: true{weak}}}]
invariance: [{{id: b, texts: ["{ham}", "{spam}"], within: 0.01}}]
robustness: [{{id: d, text: "{ham}", flagged: false, edits: [capitals]}}]
direction: [{{id: c, text: "{ham}", added: "{spam}", change: raises}}]
"""


def test_a_known_weakness_excuses_models_of_its_corpus_alone(tmp_path: Path) -> None:
    weak = ', known_weak: {starter: "too few rows"}'
    folder = write_suite(tmp_path, MINIMAL.format(ham=HAM, spam=SPAM, weak=weak))
    failed = {
        corpus: [
            failure.case
            for failure in run_suite("spam", JUDGE.pipeline, JUDGE.thresholds, corpus, folder)
        ]
        for corpus in ("starter", "public")
    }
    assert failed == {"starter": ["b"], "public": ["a", "b"]}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: b", "id: a", "two cases of one id"),
        ("direction:", "directions:", "sections minimum, invariance, robustness, direction"),
        ("change: raises", "change: sideways", "change"),
        ("flagged: true", "flagged: true, colour: red", "colour"),
        ("edits: [capitals]", "edits: []", "edits"),
        (f'["{HAM}", "{SPAM}"]', f'["{HAM}"]', "nothing to be compared with"),
        ("minimum: [", "minimum: [] #", "without cases"),
        ("minimum: [", "minimum: {[", "cannot be read"),
    ],
)
def test_a_suite_that_is_wrong_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = MINIMAL.format(ham=HAM, spam=SPAM, weak="")
    assert old in text
    with pytest.raises(BehaviourError, match=message):
        read_suite("spam", write_suite(tmp_path, text.replace(old, new)))


def test_a_missing_suite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BehaviourError, match=r"spam\.yaml cannot be read"):
        read_suite("spam", tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_cases_of_every_sort(kind: Kind) -> None:
    sorts = {type(case) for case in read_suite(kind, ROOT / FOLDER)}
    classes: Mapping[str, type[Case[Any]]] = CASES[kind]
    assert sorts == set(classes.values())
