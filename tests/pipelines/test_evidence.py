"""Real models meet at the gate: which of them may replace which, and for what reasons not."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from models.gates import Decision
from models.manifest import KINDS
from models.matching import IndexParams, load_postings
from models.params import EvaluateParams, GainParams, GateParams
from pipelines.evidence import Candidate, Hearing, hear, judge
from pipelines.evidence_rows import EvidenceError
from pipelines.stage import read_table, write_lines, write_table
from tests.factories import starter_skills
from tests.pipelines.contenders import (
    PARAMS,
    STARTER,
    against_word,
    contender,
    fewer,
    fit,
    identity_rows,
    index_of,
    mislabelled,
    nudged,
    skills_of,
    starter_sides,
    with_word,
    write_data,
)

FEW = EvaluateParams(bootstrap=50, seed=1)

#: Floors that the starter models of skills and matching meet.
WITH_FLOORS = PARAMS.model_copy(
    update={
        "skills": PARAMS.skills.model_copy(update={"floors": {"starter": {"listed_recall": 0.5}}}),
        "matching": PARAMS.matching.model_copy(
            update={"floors": {"starter": {"precision_at_10": 0.5}}}
        ),
    }
)

#: As in production, but for how fast a busy machine happens to be.
RULES = PARAMS.gate.model_copy(update={"latency_ratio": 10.0})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), ("spam", "toxicity"))


@pytest.fixture(scope="module")
def spam(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Candidate]:
    """Spam models of all training rows, of fewer, of wrong ones, and a twin of the first."""
    folder, train = tmp_path_factory.mktemp("spam"), starter_sides("spam")["train"]
    full = fit("spam", train)
    models = {
        "full": full,
        "fewer": fit("spam", fewer(train)),
        "wrong": fit("spam", mislabelled(train, 3)),
        "twin": nudged(full),
    }
    return {name: contender(folder, name, "spam", model) for name, model in models.items()}


@pytest.fixture(scope="module")
def toxicity(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Candidate]:
    """Toxicity models: of a third of the rows, of all, and that one with a prejudice."""
    folder, train = tmp_path_factory.mktemp("toxicity"), starter_sides("toxicity")["train"]
    good = fit("toxicity", with_word(train, "taoist"))
    models = {
        "poor": fit("toxicity", train.iloc[::3]),
        "good": good,
        "prejudiced": against_word(good, "taoist"),
    }
    return {name: contender(folder, name, "toxicity", model) for name, model in models.items()}


def gate(
    challenger: Candidate, champion: Candidate | None, data: Path, policy: GateParams = RULES
) -> Decision:
    return judge(hear(challenger, champion, data, FEW), PARAMS, policy)


def failing(decision: Decision) -> set[str]:
    return {check.name for check in decision.checks if not check.passed}


def test_a_better_model_passes(spam: dict[str, Candidate], data: Path) -> None:
    decision = gate(spam["full"], spam["fewer"], data)
    assert decision.accepted, decision.reasons
    figures = {check.name: check.figure for check in decision.checks}
    assert figures["gain/mcc"] > 0.02
    assert figures["gain/mcc_low"] > -0.005
    assert {"mcc", "auc", "behaviour", "golden", "flips/chance", "slice/source/starter"} <= set(
        figures
    )


@pytest.fixture(scope="module")
def worse(spam: dict[str, Candidate], data: Path) -> Hearing:
    """A model that learnt wrong labels, beside the good one."""
    return hear(spam["wrong"], spam["full"], data, FEW)


def test_a_worse_model_is_refused_with_the_failing_checks(worse: Hearing) -> None:
    decision = judge(worse, PARAMS, RULES)
    assert not decision.accepted
    assert {"gain/mcc", "gain/mcc_low", "flips/chance", "slice/source/starter"} <= failing(decision)
    assert len(decision.reasons) == len(failing(decision))


def test_a_model_that_answers_like_the_champion_is_a_tie(
    spam: dict[str, Candidate], data: Path
) -> None:
    assert spam["twin"].bundle.digest != spam["full"].bundle.digest
    decision = gate(spam["twin"], spam["full"], data)
    assert failing(decision) == {"gain/mcc"}
    assert "ties do not promote" in decision.reasons[0]


@pytest.fixture(scope="module")
def alone(spam: dict[str, Candidate], data: Path) -> Hearing:
    """The best spam model, without a champion."""
    return hear(spam["full"], None, data, FEW)


def test_without_a_champion_the_floors_decide(alone: Hearing) -> None:
    assert judge(alone, PARAMS, RULES).accepted
    high = PARAMS.model_copy(
        update={"spam": PARAMS.spam.model_copy(update={"floors": {"starter": {"mcc": 0.99}}})}
    )
    decision = judge(alone, high, RULES)
    assert failing(decision) == {"mcc"}


def test_a_better_model_of_toxicity_passes(toxicity: dict[str, Candidate], data: Path) -> None:
    decision = gate(toxicity["good"], toxicity["poor"], data)
    assert decision.accepted, decision.reasons


def test_a_better_model_with_a_worse_identity_slice_is_refused_for_that_alone(
    toxicity: dict[str, Candidate], data: Path
) -> None:
    decision = gate(toxicity["prejudiced"], toxicity["poor"], data)
    assert failing(decision) == {
        "slice/identity/taoist",
        "slice/identity/any",
        "slice/source/identity_templates",
    }


def test_a_model_of_equal_metric_with_a_worse_identity_slice_is_refused(
    toxicity: dict[str, Candidate], data: Path
) -> None:
    hearing = hear(toxicity["prejudiced"], toxicity["good"], data, FEW)
    assert hearing.champion is not None
    assert hearing.challenger.answered.figures["auc"] == hearing.champion.answered.figures["auc"]
    gains = {kind: GainParams(min_gain=0.0, tolerance=0.0) for kind in KINDS}
    lenient = RULES.model_copy(update={"gain": gains})
    decision = judge(hearing, PARAMS, lenient)
    assert "slice/identity/taoist" in failing(decision)
    assert failing(decision) <= {
        "slice/identity/taoist",
        "slice/identity/any",
        "slice/source/identity_templates",
    }
    assert failing(judge(hearing, PARAMS, RULES)) == failing(decision) | {"gain/auc"}


def test_both_answer_the_same_rows_and_differ(worse: Hearing) -> None:
    assert worse.champion is not None
    ours, theirs = worse.challenger.answered, worse.champion.answered
    assert list(worse.given.texts) == starter_sides("spam")["test"]["text"].tolist()
    assert len(ours.quality) == len(theirs.quality) == len(worse.given.texts)
    assert (ours.scores != theirs.scores).all()
    assert ours.quality.mean() < theirs.quality.mean()
    assert worse.challenger.evidence.seconds != worse.champion.evidence.seconds


def test_rows_that_models_learn_from_are_left_out_and_counted(
    spam: dict[str, Candidate], alone: Hearing, data: Path, tmp_path: Path
) -> None:
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "splits" / "spam" / "test.parquet"
    learnt = starter_sides("spam")["train"].head(30)
    write_table(pd.concat([learnt, read_table(path)], ignore_index=True), path)
    given = hear(spam["full"], None, tmp_path, FEW).given
    assert given.digest == alone.given.digest
    assert "30 left out that a model may have learnt from" in given.notes
    assert "0 left out that a model may have learnt from" in alone.given.notes


def test_other_rows_have_another_digest(
    spam: dict[str, Candidate], alone: Hearing, data: Path, tmp_path: Path
) -> None:
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "splits" / "spam" / "test.parquet"
    write_table(read_table(path).iloc[1:], path)
    assert hear(spam["full"], None, tmp_path, FEW).given.digest != alone.given.digest


@pytest.mark.parametrize("missing", ["splits/toxicity/test.parquet", "clean/evaluation.parquet"])
def test_rows_that_are_not_here_are_asked_for(
    toxicity: dict[str, Candidate], data: Path, tmp_path: Path, missing: str
) -> None:
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    (tmp_path / missing).unlink()
    with pytest.raises(EvidenceError, match=rf"{missing}.*`dvc repro`, or `dvc pull`"):
        hear(toxicity["good"], None, tmp_path, FEW)


def test_identity_slices_hold_clean_rows_alone(toxicity: dict[str, Candidate], data: Path) -> None:
    slices = hear(toxicity["good"], None, data, FEW).challenger.answered.slices
    rows = identity_rows()
    clean = rows[(rows["label"] == 0) & rows["text"].str.contains("taoist")]
    assert slices["identity/taoist"].rows == len(clean)
    assert slices["source/identity_templates"].rows == len(rows)


@pytest.fixture(scope="module")
def skills(tmp_path_factory: pytest.TempPathFactory) -> tuple[Candidate, Candidate]:
    """The skills model of the whole taxonomy, and one that lacks half of the tools."""
    folder = tmp_path_factory.mktemp("skills")
    more, less = (contender(folder, f"{share}", "skills", skills_of(share)) for share in (1.0, 0.5))
    return more, less


def test_a_skills_model_that_knows_more_passes_and_the_lesser_one_does_not(
    skills: tuple[Candidate, Candidate], data: Path
) -> None:
    more, less = skills
    better = judge(hear(more, less, data, FEW), WITH_FLOORS, RULES)
    assert better.accepted, better.reasons
    worse = judge(hear(less, more, data, FEW), WITH_FLOORS, RULES)
    assert {"behaviour", "gain/listed_recall", "flips/chance", "slice/family/software"} <= failing(
        worse
    )


def test_tagged_postings_go_before_listed_skills(
    skills: tuple[Candidate, Candidate], data: Path, tmp_path: Path
) -> None:
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    tools = ("Python", "Docker", "Kubernetes", "Jira", "Terraform", "Redis", "Figma", "Cypress")
    rows = (
        {"set": side, "source": "own", "posting": f"{side} {tool}", "tokens": ["Knows", tool, "."]}
        | {"skill": ["O", "O", "O"], "knowledge": ["O", "B", "O"]}
        for side in ("train", "dev")
        for tool in tools
    )
    write_lines(rows, tmp_path / "clean" / "skill_sentences.jsonl")
    hearing = hear(*skills, tmp_path, FEW)
    assert hearing.champion is not None
    assert len(hearing.given.texts) == len(tools)
    figures = {check.name: check.figure for check in judge(hearing, PARAMS, RULES).checks}
    ours = hearing.challenger.answered.figures["partial_f1"]
    theirs = hearing.champion.answered.figures["partial_f1"]
    assert ours == 1.0
    assert figures["gain/partial_f1"] == pytest.approx(ours - theirs, abs=1e-5)
    assert figures["gain/partial_f1"] > 0.05


def test_each_job_index_is_asked_for_its_own_postings(data: Path, tmp_path: Path) -> None:
    postings = load_postings(STARTER / "postings.jsonl")
    params = IndexParams(min_df=1)
    many, few = (
        contender(tmp_path, name, "matching", index_of(some, params))
        for name, some in (("many", postings), ("few", postings[::3]))
    )
    better = hear(many, few, data, FEW, starter_skills())
    assert "each index has postings of its own: 342 and 114" in better.given.notes
    assert better.champion is not None
    ours, theirs = better.challenger.answered, better.champion.answered
    gain = ours.figures["precision_at_10"] - theirs.figures["precision_at_10"]
    decision = judge(better, WITH_FLOORS, RULES)
    assert decision.accepted, decision.reasons
    figures = {check.name: check.figure for check in decision.checks}
    assert figures["gain/precision_at_10"] == pytest.approx(gain, abs=1e-5)
    worse = judge(hear(few, many, data, FEW, starter_skills()), WITH_FLOORS, RULES)
    assert {"gain/precision_at_10", "gain/precision_at_10_low", "flips/chance"} <= failing(worse)


def test_an_index_without_postings_for_the_resumes_cannot_be_judged(
    data: Path, tmp_path: Path
) -> None:
    nameless = [
        posting.model_copy(update={"family": None})
        for posting in load_postings(STARTER / "postings.jsonl")[:40]
    ]
    index = contender(tmp_path, "v1", "matching", index_of(nameless, IndexParams(min_df=1)))
    with pytest.raises(EvidenceError, match="none of the 20 resumes"):
        hear(index, None, data, FEW, starter_skills())
    with pytest.raises(EvidenceError, match="skills model"):
        hear(index, None, data, FEW)
