"""Two registered versions side by side, from a store that has both, whatever lies about here."""

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.matching import IndexParams, load_postings
from models.params import EvaluateParams
from pipelines import compare, tracking
from pipelines.comparison import SHOWN_CHARS, SHOWN_ROWS, compared, document, write_comparison
from pipelines.evidence import hear, judge
from pipelines.tracking import open_store
from serving.record_schemas import ComparisonAnswer
from tests.factories import ROOT, starter_skills
from tests.pipelines.contenders import (
    PARAMS,
    STARTER,
    contender,
    fit,
    index_of,
    mislabelled,
    register,
    release,
    starter_sides,
    write_data,
)
from tests.pipelines.results import working_in

FEW = EvaluateParams(bootstrap=50, seed=1)


@dataclass(frozen=True)
class Project:
    """A project whose store has three versions of spam; of their artifacts nothing is here."""

    root: Path
    digests: dict[int, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("project")
    train = starter_sides("spam")["train"]
    digests = {}
    with working_in(root):
        write_data(root / "data", ("spam",))
        shutil.copy(ROOT / "params.yaml", root)
        for number, (rows, alpha) in enumerate(
            ((train.iloc[::2], "0.03"), (train, "0.05"), (mislabelled(train, 3), "0.05")), start=1
        ):
            place = root / "elsewhere" / f"v{number}"
            digests[number] = release(place, "spam", fit("spam", rows))
            register("spam", place, digests[number], {"spam.classifier.alpha": alpha, "same": "1"})
        shutil.rmtree(root / "elsewhere")
        with open_store() as store:
            store.client.set_registered_model_alias("spam", tracking.CHAMPION, "1")
            store.client.set_registered_model_alias("spam", tracking.CHALLENGER, "2")
        yield Project(root, digests)


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Return the exit code of the command."""
    monkeypatch.setattr("sys.argv", ["compare", *arguments])
    try:
        compare.main()
    except SystemExit as ended:
        return ended.code
    return 0


def logged() -> list[Any]:
    """Return the runs of comparisons."""
    with open_store() as store:
        return list(
            store.client.search_runs([store.experiment], f"tags.{compare.COMPARISON} != ''")
        )


@pytest.fixture(scope="module")
def first(project: Project) -> str:
    """Compare version 1 and 2 of the project and return what was printed."""
    assert Path.cwd() == project.root
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        assert run_command(patch, "spam", "1", "2") == 0
    return printed.getvalue()


def test_the_table_shows_what_differs(project: Project, first: str) -> None:
    assert "# spam: v1 and v2" in first
    assert f"- champion: v1, digest {project.digests[1][:12]}, corpus starter" in first
    assert "| spam.classifier.alpha | 0.03 | 0.05 |" in first
    assert "| same |" not in first
    for section in ("Metrics", "Slices", "Size and latency", "Checks", "Rows answered otherwise"):
        assert f"\n## {section}" in first
    assert "| gain/mcc |" in first
    (line,) = [line for line in first.splitlines() if line.startswith("| mcc |") and " to " in line]
    champion, challenger = (cell.split(" (")[0].strip() for cell in line.split("|")[2:4])
    assert float(champion) < float(challenger)


@pytest.mark.usefixtures("first")
def test_it_is_logged_with_tables_and_plots(project: Project, tmp_path: Path) -> None:
    (run,) = logged()
    assert run.data.tags[tracking.COMPLETE] == "true"
    assert run.data.params["champion_digest"] == project.digests[1]
    with open_store() as store:
        folder = tracking.download(store, run.info.run_id, "", tmp_path)
    content = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert document(content) == (folder / "comparison.md").read_text(encoding="utf-8")
    assert (folder / "plots" / "scores.png").read_bytes().startswith(b"\x89PNG")
    assert run.data.metrics["challenger/mcc"] == content["metrics"]["mcc"]["challenger"]["value"]
    assert run.data.metrics["champion/mcc"] < run.data.metrics["challenger/mcc"]
    assert run.data.metrics["check/gain/mcc"] > 0


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("names", [("1", "v2"), ("champion", "challenger")])
def test_the_same_two_on_the_same_rows_add_no_run(
    names: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(logged())
    assert run_command(monkeypatch, "spam", *names) == 0
    assert "compared already: run 'spam v1 and v2'" in capsys.readouterr().out
    assert len(logged()) == before


def test_what_the_service_saw_of_both_in_shadow_joins_the_comparison(
    project: Project,
    first: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = {run.info.run_id for run in logged()}
    sides = [{"version": f"v{n}", "digest": project.digests[n]} for n in (1, 2)]
    log = tmp_path / "shadow.jsonl"
    lines = [
        {
            "time": "2026-01-01T00:00:00.000+00:00",
            "kind": "spam",
            "champion": {**sides[0], "score": 0.6, "flagged": True},
            "challenger": {**sides[1], "score": score, "flagged": score >= 0.5},
            "sha256": f"{number:064d}",
        }
        for number, score in enumerate((0.7, 0.8, 0.4))
    ]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    asked = ("spam", "champion", "challenger", "--shadow", str(log))
    assert run_command(monkeypatch, *asked) == 0
    printed = capsys.readouterr().out
    assert "## In shadow" in printed
    assert "by the champion alone: 1" in printed
    (run,) = [run for run in logged() if run.info.run_id not in before]
    assert run.data.metrics["shadow/rows"] == 3
    assert run.data.metrics["shadow/agreement"] == pytest.approx(2 / 3)
    assert "## In shadow" not in first


def test_rows_answered_otherwise_are_shown_shortened_with_both_answers(
    project: Project, tmp_path: Path
) -> None:
    params = PARAMS.model_copy(update={"evaluate": FEW})
    content = compare.compare(
        "spam", ("2", "3"), params, PARAMS.gate, project.root / "data", report=tmp_path
    )
    written = (tmp_path / "spam" / "comparison.json").read_text(encoding="utf-8")
    shown = ComparisonAnswer.model_validate({**json.loads(written), "written": datetime.now(UTC)})
    assert shown.disagreements.worse == content["disagreements"]["worse"]
    found = content["disagreements"]
    assert not content["decision"]["accepted"]
    assert found["worse"] > found["better"]
    assert len(found["shown"]) == min(SHOWN_ROWS, found["better"] + found["worse"])
    for row in found["shown"]:
        assert len(row["text"]) <= SHOWN_CHARS
        answers = [row[side].split()[1] for side in ("champion", "challenger")]
        assert sorted(answers) == ["flagged", "passed"]
        right = "flagged" if row["wanted"] == "spam" else "passed"
        assert answers.index(right) == (1 if row["change"] == "better" else 0)
    assert "may not replace v2:**" in document(content)


def test_what_an_interrupted_comparison_left_is_made_good(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {run.info.run_id for run in logged()}
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.tracking.MlflowClient.log_artifacts", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_command(patch, "spam", "3", "1")
    assert run_command(monkeypatch, "spam", "3", "1") == 0
    (run,) = (run for run in logged() if run.info.run_id not in before)
    assert run.data.tags[tracking.COMPLETE] == "true"
    assert run.data.params["champion_digest"] == project.digests[3]


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("spam", "1", "9"), "spam has no version 9"),
        (("toxicity", "champion", "1"), "toxicity has no alias champion"),
        (("ham", "1", "2"), "no model ham"),
        (("spam", "1", "2", "--data", "nowhere"), "`dvc repro`, or `dvc pull`"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    assert message in str(run_command(monkeypatch, *arguments))


def test_job_indexes_are_drawn_by_category(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    postings = load_postings(STARTER / "postings.jsonl")
    many, few = (
        contender(tmp_path, name, "matching", index_of(some, IndexParams(min_df=1)))
        for name, some in (("v2", postings), ("v1", postings[::3]))
    )
    hearing = hear(many, few, data, FEW, starter_skills())
    content = compared(
        hearing, judge(hearing, PARAMS, PARAMS.gate), {"champion": {}, "challenger": {}}
    )
    write_comparison(content, hearing, tmp_path / "out")
    assert (tmp_path / "out" / "plots" / "slices.png").read_bytes().startswith(b"\x89PNG")
    text = document(content)
    assert "| resume/software |" in text
    assert "## Params that differ\n\nNone." in text


@pytest.mark.usefixtures("project")
def test_without_a_registered_skills_model_the_taxonomy_reads_resumes(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "data" / "taxonomy", tmp_path / "taxonomy")
    with open_store() as store:
        model = compare.skills_reader(store, tmp_path, tmp_path)
    assert "Python" in {hit.name for hit in model.extract("Python")}
