import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from distributed import Client, LocalCluster

from models.params import Params, load_params
from models.toxicity import CATEGORIES
from pipelines import tracking, tune
from tests.factories import MESSAGES, ROOT
from tests.pipelines.results import working_in

IN_THREADS = {
    "threads_per_worker": 1,
    "processes": False,
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
}


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[int, Client]]:
    """Clusters of one and of two workers."""
    with (
        LocalCluster(n_workers=1, **IN_THREADS) as one,
        LocalCluster(n_workers=2, **IN_THREADS) as two,
        Client(one) as of_one,
        Client(two) as of_two,
    ):
        yield {1: of_one, 2: of_two}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Training and validation rows of both models, and no test rows."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    for model in ("spam", "toxicity"):
        for side, words in (("train", ("today", "soon", "again")), ("validation", ("now",))):
            rows = [
                (f"{text} {word}", spam if model == "spam" else heads[0], *heads[1:])
                for text, spam, heads in MESSAGES
                for word in words
            ]
            frame = pd.DataFrame(rows, columns=["text", "label", *CATEGORIES])
            frame[list(CATEGORIES)] = frame[list(CATEGORIES)].astype("float32")
            (tmp_path / "splits" / model).mkdir(parents=True, exist_ok=True)
            path = tmp_path / "splits" / model / f"{side}.parquet"
            frame.assign(source="starter", weight=1.0).to_parquet(path)
    with working_in(tmp_path):
        yield tmp_path


def search(client: Client, model: str, trials: int, seed: int = 0) -> Any:
    params = load_params()
    study = tune.open_study(model, params, Path("splits"), seed)
    tune.search(study, client, model, params, Path("splits"), trials, seed)
    return study


def choices(study: Any) -> list[dict[str, Any]]:
    return [trial.params for trial in tune.complete(study)]


@pytest.mark.usefixtures("project")
def test_the_first_trial_is_params_yaml(clients: dict[int, Client]) -> None:
    study = search(clients[1], "toxicity", 1)
    [first] = choices(study)
    given = load_params().toxicity
    assert first["classifier.C"] == given.classifier.C
    assert first["tfidf.char.ngrams.1"] == given.tfidf.char.ngrams[1]
    assert first["source_weights.jigsaw_balanced"] == given.source_weights["jigsaw_balanced"]


def test_more_workers_and_an_interruption_change_no_trial(
    project: Path, clients: dict[int, Client]
) -> None:
    straight = choices(search(clients[2], "spam", 8))
    (project / "tune.db").unlink()
    assert len(choices(search(clients[1], "spam", 4))) == 4
    assert choices(search(clients[1], "spam", 8)) == straight
    assert choices(search(clients[1], "spam", 8, seed=1))[1:] != straight[1:]


@pytest.mark.usefixtures("project")
def test_what_was_under_way_when_a_search_was_killed_is_tried_again(
    clients: dict[int, Client],
) -> None:
    params = load_params()
    study = tune.open_study("spam", params, Path("splits"), 0)
    lost = study.ask(tune.space("spam", params)).params
    again = search(clients[1], "spam", 1)
    assert choices(again) == [lost]


@pytest.mark.usefixtures("project")
def test_every_trial_is_a_run_below_the_studys_and_is_logged_once(
    clients: dict[int, Client],
) -> None:
    search(clients[1], "spam", 1)
    study = search(clients[1], "spam", 2)
    with tracking.open_store() as store:
        runs = store.client.search_runs([store.experiment])
    [parent] = [run for run in runs if tune.TRIAL not in run.data.tags]
    children = {int(run.data.tags[tune.TRIAL]): run for run in runs if tune.TRIAL in run.data.tags}
    assert sorted(children) == [0, 1]
    assert len(runs) == 3
    assert {run.data.tags[tracking.PARENT] for run in children.values()} == {parent.info.run_id}
    assert parent.data.metrics == {"mcc": study.best_value}
    for number, run in children.items():
        trial = study.trials[number]
        assert run.data.params == {name: str(value) for name, value in trial.params.items()}
        assert run.data.metrics["mcc"] == trial.value
        assert "source/starter/auc" in run.data.metrics


@pytest.mark.usefixtures("project")
def test_the_best_parameters_can_be_copied_into_params_yaml(clients: dict[int, Client]) -> None:
    params = load_params()
    study = search(clients[1], "toxicity", 4)
    text = tune.best_yaml(study, "toxicity", params)
    assert text.startswith(f"# study {study.study_name}, trial {study.best_trial.number}\n")
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["toxicity"] |= yaml.safe_load(text)["toxicity"]
    copied = Params.model_validate(content).toxicity
    assert tune.present(copied.model_dump(), study.best_params) == study.best_params
    assert copied.budgets == params.toxicity.budgets


@pytest.mark.usefixtures("project")
def test_other_rows_are_another_study() -> None:
    params = load_params()
    before = tune.open_study("spam", params, Path("splits"), 0).study_name
    path = Path("splits/spam/train.parquet")
    pd.read_parquet(path).iloc[1:].to_parquet(path)
    assert tune.open_study("spam", params, Path("splits"), 0).study_name != before
