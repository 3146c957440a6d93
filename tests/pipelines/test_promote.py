"""Who becomes champion: judged by the gate, real models on both sides, told to whoever asked."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models.errors import ConflictError, OverrideError
from models.hub import MAIN, LocalHub
from models.manifest import Kind
from models.params import load_params
from models.release import Promotion, read_promotions
from pipelines import promote, publish, tracking
from pipelines.champions import Champion
from pipelines.promote import RefusedError
from pipelines.stage import read_table, write_table
from pipelines.tracking import open_store
from tests.factories import starter_index, starter_skills
from tests.pipelines.commands import Commands
from tests.pipelines.contenders import (
    against_word,
    fewer,
    fit,
    mislabelled,
    nudged,
    starter_sides,
    with_word,
)
from tests.pipelines.contest import NO_KEYS, REPO, make_champion, make_contest, mirror
from tests.pipelines.results import working_in

TOXICITY = "careerlens/careerlens-toxicity"

# Versions of spam: of fewer rows, of all of them, of wrong ones, and a twin of the second.
HALF, FULL, WRONG, TWIN = 1, 2, 3, 4
# Versions of toxicity: a good one, and the same with a prejudice.
GOOD, PREJUDICED = 1, 2


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("project")
    rows = starter_sides("spam")["train"]
    full = fit("spam", rows)
    good = fit("toxicity", with_word(starter_sides("toxicity")["train"], "taoist"))
    spam = [fit("spam", fewer(rows)), full, fit("spam", mislabelled(rows, 3)), nudged(full)]
    contestants: dict[Kind, list[Any]] = {
        "spam": spam,
        "toxicity": [good, against_word(good, "taoist")],
        "skills": [starter_skills()],
        "matching": [starter_index()],
    }
    with working_in(root):
        make_contest(root, contestants)
        with open_store() as store:
            store.client.set_registered_model_alias("spam", tracking.CHALLENGER, str(FULL))
        yield root


@pytest.fixture
def hub(project: Path, tmp_path: Path) -> LocalHub:
    assert Path.cwd() == project
    return LocalHub(tmp_path / "hub")


def judge(hub: LocalHub, number: int, reason: str | None = None) -> Champion:
    with open_store() as store:
        return promote.promote(store, hub, "spam", load_params(), NO_KEYS, number, reason)


def command(monkeypatch: pytest.MonkeyPatch, hub: LocalHub, *arguments: str) -> object:
    """Return the exit code of the command, or what it ends with."""
    monkeypatch.setattr("sys.argv", ["promote", *arguments, "--hub", str(hub)])
    try:
        promote.main()
    except SystemExit as ended:
        return ended.code
    return 0


def failed(printed: str) -> set[str]:
    return {line.split()[0] for line in printed.splitlines() if line.endswith("FAILED")}


def test_a_better_challenger_becomes_champion_everywhere(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_champion(hub, "spam", HALF)
    assert command(monkeypatch, hub, "spam") == 0
    printed = capsys.readouterr().out
    assert "spam: v2 against v1" in printed
    assert not failed(printed)
    assert printed.endswith("spam: v2 is the champion\n")
    assert hub.release(REPO, MAIN).tag == "v2"
    (first, second) = (
        (hub.root / REPO / "commits" / hub.refs(REPO).branches[MAIN])
        .joinpath("promotions.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    line = json.loads(second)
    assert (line["from"], line["to"], line["who"]) == ("v1", "v2", tracking.user_name())
    assert line["digest"] == hub.release(REPO, "v2").digest
    assert line["decision"]["accepted"]
    assert re.fullmatch("[0-9a-f]{64}", line["decision"]["rows"])
    figures = {check["name"]: check["figure"] for check in line["decision"]["checks"]}
    assert figures["gain/mcc"] > 0.02
    seen = mirror(Path.cwd())
    assert seen.alias == FULL
    assert seen.log == f"{first}\n{second}\n"
    assert seen.commits[FULL] == hub.refs(REPO).tags["v2"]


def test_a_worse_challenger_is_refused_with_the_failing_checks_and_not_published(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_champion(hub, "spam", FULL)
    before = hub.refs(REPO)
    assert command(monkeypatch, hub, "spam", "--version", str(WRONG)) == promote.REFUSED
    printed, said = capsys.readouterr()
    assert {"gain/mcc", "gain/mcc_low", "flips/chance", "slice/source/starter"} <= failed(printed)
    sentence, *reasons = said.strip().split("\n  - ")
    assert sentence == "promote: spam: v3 is refused:"
    assert len(reasons) == len(failed(printed))
    assert "below the champion's" in str(reasons)
    assert "slice source/starter" in str(reasons)
    assert hub.refs(REPO) == before


def test_a_challenger_is_not_judged_by_the_rows_of_another(
    project: Path,
    hub: LocalHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_champion(hub, "spam", HALF)
    other = shutil.copytree(project, tmp_path / "other")
    table = other / "data" / "splits" / "spam" / "test.parquet"
    write_table(read_table(table).iloc[1:], table)
    monkeypatch.chdir(other)
    with pytest.raises(RefusedError, match=r"data/ holds other rows .* dvc checkout"):
        judge(hub, FULL)
    assert failed(capsys.readouterr().out) == {"rows/own"}


def test_which_of_two_candidates_is_meant_has_to_be_said(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where one MLflow serves two hubs, and its newest version is meant for the other one."""
    make_champion(hub, "spam", HALF)
    with open_store() as store:
        publish.publish(store, hub, "spam", load_params(), NO_KEYS, WRONG)
    told = str(command(monkeypatch, hub, "spam"))
    assert "v2 is the newest version in" in told
    assert "v3 waits on" in told
    assert "--version 2 or --version 3" in told
    assert hub.release(REPO, MAIN).tag == "v1"
    assert command(monkeypatch, hub, "spam", "--version", str(FULL)) == 0
    assert hub.release(REPO, MAIN).tag == "v2"


def test_a_tie_is_refused(hub: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    make_champion(hub, "spam", FULL)
    with pytest.raises(RefusedError, match="ties do not promote"):
        judge(hub, TWIN)
    assert failed(capsys.readouterr().out) == {"gain/mcc"}
    assert hub.release(REPO, MAIN).tag == "v2"


def test_an_equal_metric_with_a_worse_identity_slice_is_refused_for_the_slice_alone(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_champion(hub, "toxicity", GOOD)
    assert command(monkeypatch, hub, "toxicity", "--version", str(PREJUDICED)) == promote.REFUSED
    printed, said = capsys.readouterr()
    assert "slice/identity/taoist" in failed(printed)
    assert all(name.startswith("slice/") for name in failed(printed))
    assert next(line for line in printed.splitlines() if "gain/auc " in line).endswith("ok")
    assert "slice identity/taoist (" in said
    assert hub.release(TOXICITY, MAIN).tag == "v1"


def test_without_a_champion_floors_decide_alone(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RefusedError, match=r"mcc is .*, its floor is 0\.6"):
        judge(hub, WRONG)
    assert not hub.root.exists()
    assert judge(hub, HALF).release.tag == "v1"
    printed = capsys.readouterr().out
    assert "spam: v1 against nobody" in printed
    assert "gain/" not in printed


def test_force_records_its_reason_with_the_decision_it_overrides(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_champion(hub, "spam", FULL)
    code = command(monkeypatch, hub, "spam", "--version", "1", "--force", " v2 leaks names ")
    assert code == 0
    printed = capsys.readouterr().out
    assert "gain/mcc" in failed(printed)
    assert printed.endswith("spam: v1 is the champion, by force: v2 leaks names\n")
    seen = mirror(Path.cwd())
    assert seen.alias == HALF
    decision = json.loads(seen.log.splitlines()[-1])["decision"]
    assert decision["forced"] == "v2 leaks names"
    assert {check["name"] for check in decision["checks"] if not check["passed"]} == failed(printed)
    assert len(decision["reasons"]) == len(failed(printed))


def test_force_needs_a_reason(hub: LocalHub) -> None:
    make_champion(hub, "spam", FULL)
    with pytest.raises(OverrideError, match="--force REASON"):
        judge(hub, HALF, " ")
    assert hub.release(REPO, MAIN).tag == "v2"


def test_the_champion_itself_is_left_where_it_is_and_its_mirror_is_put_right(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    make_champion(hub, "spam", HALF)
    judge(hub, FULL)
    before, seen = hub.refs(REPO), mirror(Path.cwd())
    with open_store() as store:
        store.client.set_registered_model_alias("spam", tracking.CHAMPION, str(HALF))
        (run,) = store.client.search_runs([store.experiment], "tags.promotion_log = 'spam'")
        store.client.delete_run(run.info.run_id)
    capsys.readouterr()
    assert judge(hub, FULL).news
    assert capsys.readouterr().out == "spam: v2 is the champion already\n"
    assert hub.refs(REPO) == before
    assert mirror(Path.cwd()) == seen
    assert not judge(hub, FULL).news


def test_a_champion_that_cannot_be_loaded_is_replaced_by_force_alone(
    hub: LocalHub, tmp_path: Path
) -> None:
    """As after an update of a library that the champion was made with."""
    make_champion(hub, "spam", HALF)
    folder = shutil.copytree(hub.fetch(REPO, "v1", tmp_path / "cache").path, tmp_path / "changed")
    (folder / "commit.json").unlink()
    (folder / "bundle" / "model.skops").write_bytes(b"of another time")
    hub.publish(REPO, 9, folder, "")
    hub.point(
        *(REPO, MAIN, "v9", hub.refs(REPO).branches[MAIN]),
        Promotion(who="bob", when="", before="v1", to="v9", digest="0" * 64, decision={}),
    )
    with pytest.raises(RefusedError, match="the champion v1 cannot be asked"):
        judge(hub, FULL)
    assert judge(hub, FULL, "the other cannot be loaded").release.tag == "v2"


class Overtaken(LocalHub):
    """A hub on which somebody else promotes v2 while a challenger is being published."""

    def publish(self, repo: str, version: int, folder: Path, message: str) -> str:
        somebody = Promotion(
            who="bob", when="", before="v1", to="v2", digest="0" * 64, decision={"accepted": True}
        )
        self.point(repo, MAIN, "v2", self.refs(repo).branches[MAIN], somebody)
        return super().publish(repo, version, folder, message)


def test_whoever_is_overtaken_is_told_and_judged_against_the_new_champion(hub: LocalHub) -> None:
    make_champion(hub, "spam", FULL)
    make_champion(hub, "spam", HALF)
    with pytest.raises(ConflictError, match="somebody moved it first"):
        judge(Overtaken(hub.root), TWIN)
    assert hub.release(REPO, MAIN).tag == "v2"
    with pytest.raises(RefusedError, match="a tie"):
        judge(hub, TWIN)


def test_a_job_index_is_judged_once_there_is_a_skills_champion(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = str(command(monkeypatch, hub, "matching", "--version", "1"))
    assert "judged with the skills champion, and there is none yet" in told
    make_champion(hub, "skills", 1)
    assert command(monkeypatch, hub, "matching", "--version", "1") == 0
    assert "matching: v1 is the champion" in capsys.readouterr().out


# --- two at once


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands()


def meet_before_pointing(place: Path) -> None:
    """Let this process wait, when it is about to move main, for the other one to get there."""
    point = LocalHub.point

    def together(*arguments: Any) -> str:
        (place / str(os.getpid())).touch()
        while len(list(place.iterdir())) < 2:
            time.sleep(0.01)
        return point(*arguments)

    LocalHub.point = together  # type: ignore[method-assign]


def test_of_two_promotions_from_two_stores_one_wins_and_the_other_is_told(
    project: Path, hub: LocalHub, tmp_path: Path, commands: Commands
) -> None:
    make_champion(hub, "spam", HALF)
    place = tmp_path / "meeting"
    place.mkdir()
    stores = {}
    for number in (FULL, TWIN):
        stores[number] = tmp_path / f"store {number}"
        stores[number].mkdir()
        shutil.copytree(project / "data", stores[number] / "data")
        for name in ("mlflow.db", "params.yaml"):
            shutil.copy(project / name, stores[number])
    running = {
        number: commands.start(
            *(root, "promote", "spam", "--version", str(number), "--hub", str(hub)),
            first=partial(meet_before_pointing, place),
        )
        for number, root in stores.items()
    }
    ended = {number: each.end() for number, each in running.items()}
    (winner,) = (number for number, (code, _) in ended.items() if code == 0)
    loser = TWIN if winner == FULL else FULL
    code, said = ended[loser]
    assert code == 1
    assert "promote: main of careerlens/careerlens-spam" in said
    assert "somebody moved it first" in said
    champion = hub.fetch(REPO, MAIN, tmp_path / "cache")
    assert [each.to for each in read_promotions(champion.path)] == ["v1", f"v{winner}"]
    assert commands.ask(mirror, stores[winner]).alias == winner
    code, said = commands.run(
        *(stores[loser], "promote", "spam", "--version", str(loser), "--hub", str(hub))
    )
    assert code == promote.REFUSED
    assert f"spam: v{loser} against v{winner}" in said
    assert "a tie" in said
    assert commands.ask(mirror, stores[loser]).alias == winner


def test_of_two_promotions_from_one_store_the_second_is_judged_against_the_first(
    project: Path, hub: LocalHub, commands: Commands
) -> None:
    make_champion(hub, "spam", HALF)
    running = [
        commands.start(project, "promote", "spam", "--version", str(number), "--hub", str(hub))
        for number in (FULL, TWIN)
    ]
    ended = [each.end() for each in running]
    assert sorted(code or 0 for code, _ in ended) == [0, promote.REFUSED]
    assert "a tie" in next(said for code, said in ended if code == promote.REFUSED)
