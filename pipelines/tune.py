"""Search parameters of a text model with Optuna, on validation rows, on all cores or on a cluster.

The parameters of params.yaml are the first trial. Trials go out four at a time and are judged in
their order, so that the same seed gives the same trials however many workers there are. The study
is kept in tune.db and each trial as a run in MLflow; the same command with more trials goes on.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import optuna
import yaml
from distributed import Client
from optuna import Study, create_study
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from models.params import Params, load_params
from pipelines import tracking
from pipelines.cluster import add_cluster, connect, spread
from pipelines.entry import entry_point
from pipelines.stage import MODELS, read_table
from pipelines.tracking import Store
from pipelines.trial import run_trial

#: What a trial is judged by: the figure by which the gate judges a version.
OBJECTIVES = {"spam": "mcc", "toxicity": "auc"}

#: Trials that are chosen before any of them is judged.
AT_ONCE = 4

#: Tags of runs: which study, and of children which trial.
STUDY = "study"
TRIAL = "trial"

#: What a trial is kept with: all its figures.
FIGURES = "figures"

_MOST_RUNS = 10_000

_TFIDF: dict[str, BaseDistribution] = {
    "tfidf.word.ngrams.1": IntDistribution(1, 3),
    "tfidf.word.min_df": IntDistribution(1, 4),
    "tfidf.char.ngrams.0": IntDistribution(2, 3),
    "tfidf.char.ngrams.1": IntDistribution(4, 6),
    "tfidf.char.min_df": IntDistribution(1, 6),
}
_CLASSIFIERS: dict[str, dict[str, BaseDistribution]] = {
    "spam": {
        "classifier.family": CategoricalDistribution(["multinomial", "complement"]),
        "classifier.alpha": FloatDistribution(0.003, 1.0, log=True),
    },
    "toxicity": {"classifier.C": FloatDistribution(0.3, 30.0, log=True)},
}
_SOURCE_WEIGHT = FloatDistribution(0.1, 10.0, log=True)


def space(model: str, params: Params) -> dict[str, BaseDistribution]:
    """Return what is searched: dotted names below the model's section, and where.

    Of the weights of sources it is those that params.yaml names.
    """
    weights = params.text_model(model).source_weights
    named = {f"source_weights.{source}": _SOURCE_WEIGHT for source in sorted(weights)}
    return {**_TFIDF, **_CLASSIFIERS[model], **named}


def present(section: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return what a section of params.yaml has under dotted names."""
    return {name: reduce(getitem, _path(name), section) for name in names}


def changed(section: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a section of params.yaml with other values under dotted names."""
    copy = deepcopy(dict(section))
    for name, value in values.items():
        *path, last = _path(name)
        reduce(getitem, path, copy)[last] = value
    return copy


def _path(name: str) -> list[Any]:
    return [int(key) if key.isdigit() else key for key in name.split(".")]


def open_study(model: str, params: Params, splits: Path, seed: int) -> Study:
    """Return the study of a model on these data, begun or not; another seed is another study."""
    names = space(model, params)
    section = params.text_model(model).model_dump(mode="json")
    parts = [
        *((splits / model / f"{side}.parquet").read_bytes() for side in ("train", "validation")),
        json.dumps([section, seed, {name: str(where) for name, where in names.items()}]).encode(),
    ]
    digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    study = create_study(
        storage=f"sqlite:///{tracking.project_root() / 'tune.db'}",
        study_name=f"{model}-{digest[:8]}",
        direction="maximize",
        load_if_exists=True,
    )
    if not study.trials:
        study.enqueue_trial(present(section, names))
    for trial in study.get_trials(states=(TrialState.RUNNING,)):  # interrupted
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def search(
    study: Study, client: Client, model: str, params: Params, splits: Path, trials: int, seed: int
) -> None:
    """Run trials until the study has so many; each one is logged."""
    names, section = space(model, params), params.text_model(model)
    given = section.model_dump(mode="json")
    tables = [read_table(splits / model / f"{side}.parquet") for side in ("train", "validation")]
    rows = client.scatter(tables, broadcast=True)
    while (done := len(complete(study))) < trials:
        # Anew for each round: a study that is gone on with chooses as if it had not stopped.
        study.sampler = TPESampler(seed=seed + done)
        asked = [study.ask(names) for _ in range(min(AT_ONCE, trials - done))]
        calls = (
            (
                trial.number,
                type(section).model_validate(changed(given, trial.params)),
                params.data.corpus,
            )
            for trial in asked
        )
        found = spread(client, run_trial, ((*call, *rows) for call in calls))
        figures = {trial.number: trial.figures for trial in found}
        for trial in asked:
            trial.set_user_attr(FIGURES, figures[trial.number])
            value = figures[trial.number][OBJECTIVES[model]]
            study.tell(trial, value)
            print(f"trial {trial.number}: {OBJECTIVES[model]} {value:.4f}")
        with tracking.open_store() as store:
            log(store, study, model)


def complete(study: Study) -> list[FrozenTrial]:
    """Return the trials that came to their end."""
    return study.get_trials(states=(TrialState.COMPLETE,))


def log(store: Store, study: Study, model: str) -> None:
    """Log the trials that the store lacks, as children of the study's run."""
    from mlflow.entities import Metric, Param

    client, name = store.client, study.study_name
    ours = f"tags.{STUDY} = '{name}'"
    runs = client.search_runs([store.experiment], ours, max_results=_MOST_RUNS)
    parents = [run.info.run_id for run in runs if TRIAL not in run.data.tags]
    known = {run.data.tags[TRIAL] for run in runs if TRIAL in run.data.tags}
    tags = {STUDY: name, tracking.KIND: model}
    if not parents:
        run = client.create_run(store.experiment, run_name=f"tune {name}", tags=tags)
        parents.append(run.info.run_id)
    for trial in complete(study):
        if str(trial.number) in known:
            continue
        run = client.create_run(
            store.experiment,
            run_name=f"{name} {trial.number}",
            tags={**tags, TRIAL: str(trial.number), tracking.PARENT: parents[0]},
        )
        now = int(time.time() * 1000)
        client.log_batch(
            run.info.run_id,
            params=[Param(key, str(value)) for key, value in trial.params.items()],
            metrics=[
                Metric(key, value, now, 0) for key, value in trial.user_attrs[FIGURES].items()
            ],
        )
        client.set_terminated(run.info.run_id)
    client.log_metric(parents[0], OBJECTIVES[model], study.best_value)
    client.set_terminated(parents[0])


def best_yaml(study: Study, model: str, params: Params) -> str:
    """Return the best parameters as params.yaml has them, under the study's name."""
    given = params.text_model(model).model_dump(mode="json")
    best = changed(given, study.best_params)
    keys = dict.fromkeys(name.partition(".")[0] for name in study.best_params)
    text = yaml.safe_dump({model: {key: best[key] for key in keys}}, sort_keys=False)
    return f"# study {study.study_name}, trial {study.best_trial.number}\n{text}"


def parse_args() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.tune", description=__doc__)
    parser.add_argument("model", metavar="MODEL", choices=MODELS, help=", ".join(MODELS))
    parser.add_argument("--trials", type=int, default=32, help="in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--splits", type=Path, default=Path("data/splits"))
    add_cluster(parser)
    return parser.parse_args()


@entry_point
def main() -> None:
    """Run the command."""
    args = parse_args()
    params = load_params()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = open_study(args.model, params, args.splits, args.seed)
    with connect(args.scheduler, args.workers) as client:
        search(study, client, args.model, params, args.splits, args.trials, args.seed)
    first, objective = complete(study)[0], OBJECTIVES[args.model]
    print(
        f"{args.model}: {objective} {study.best_value:.4f} on validation rows, "
        f"{first.value:.4f} with params.yaml as it is\n"
    )
    print(best_yaml(study, args.model, params))


if __name__ == "__main__":
    main()
