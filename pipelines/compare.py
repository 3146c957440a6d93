"""Compare two registered versions of a model on the same rows; print and log what differs.

A version is a number, ``champion`` or ``challenger``; the second is judged as if it were to replace
the first.
"""

import argparse
import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.manifest import Kind
from models.params import GateParams, Params, load_params
from models.skill_matcher import SkillMatcher
from models.skill_model import SkillModel
from models.taxonomy import load_taxonomy
from pipelines import tracking
from pipelines.comparison import compared, document, write_comparison
from pipelines.entry import entry_point
from pipelines.evidence import Candidate, hear, judge, read_candidate
from pipelines.sending import registered_version
from pipelines.shadow_log import shadow_figures, summarise
from pipelines.tracking import Store, TrackingError

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

#: Tag of a comparison's run: digest of what was compared, on what and by which rules.
COMPARISON = "comparison"

_NOT_IN_NAMES = re.compile(r"[^\w.\- :/]")


def resolve(store: Store, kind: Kind, name: str) -> "ModelVersion":
    """Return the registered version called ``name``: a number, ``v3``, or an alias.

    Raises
    ------
    TrackingError
        If there is none, or it was registered by other means.
    """
    named = re.fullmatch(r"v?(\d+)", name)
    number = int(named[1]) if named else tracking.alias(store, kind, name)
    if number is None:
        raise TrackingError(
            f"{kind} has no alias {name} in {store.address}: name a version, or run "
            f"`python -m pipelines.register {kind}` and `python -m pipelines.promote {kind}`"
        )
    return registered_version(store, kind, number)


def load_version(store: Store, kind: Kind, version: "ModelVersion", folder: Path) -> Candidate:
    """Return a registered version, downloaded into ``folder``, verified and loaded.

    Raises
    ------
    TrackingError
        If its release cannot be had.
    BundleError
        If it is not what was registered.
    """
    name = f"v{version.version}"
    place = folder / f"{kind}-{name}"
    place.mkdir(parents=True, exist_ok=True)
    release = tracking.download(store, version.run_id, tracking.RELEASE, place)
    return read_candidate(release, kind, version.tags["digest"], name)


def skills_reader(store: Store, data: Path, folder: Path) -> SkillModel:
    """Return what reads resumes for job indexes: the registered skills champion.

    Without one it is the challenger, and without any version the taxonomy of ``data``.
    """
    for alias in (tracking.CHAMPION, tracking.CHALLENGER):
        if tracking.alias(store, "skills", alias) is not None:
            version = resolve(store, "skills", alias)
            model: SkillModel = load_version(store, "skills", version, folder).bundle.model
            return model
    return SkillModel(SkillMatcher(load_taxonomy(data / "taxonomy" / "skills.csv")))


def compare(
    kind: Kind,
    names: tuple[str, str],
    params: Params,
    policy: GateParams,
    data: Path,
    shadow: Path | None = None,
    report: Path | None = None,
) -> dict[str, Any]:
    """Compare two versions, log the comparison unless the store has it, and return its content.

    With ``shadow``, the service's log of candidates, it says what that has of the two. With
    ``report`` it is written to that folder too, below the kind's name.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with tracking.open_store() as store:
            versions = [resolve(store, kind, name) for name in names]
            champion, challenger = (
                load_version(store, kind, version, folder) for version in versions
            )
            skills = skills_reader(store, data, folder) if kind == "matching" else None
            trained = {
                side: store.client.get_run(version.run_id).data.params
                for side, version in zip(("champion", "challenger"), versions, strict=True)
            }
        # Answering takes a while, in which others may use the store.
        hearing = hear(challenger, champion, data, params.evaluate, skills)
        decision = judge(hearing, params, policy)
        content = compared(hearing, decision, trained)
        if shadow is not None:
            digests = [candidate.bundle.digest for candidate in (champion, challenger)]
            content["shadow"] = summarise(shadow, kind, *digests)
        write_comparison(content, hearing, folder / COMPARISON)
        if report is not None:
            shutil.copytree(folder / COMPARISON, report / kind, dirs_exist_ok=True)
        print(document(content))
        with tracking.open_store() as store:
            _log(store, content, policy, folder / COMPARISON)
    return content


def comparison_key(content: Mapping[str, Any], policy: GateParams) -> str:
    """Return the digest of what was compared, on which rows and by which rules."""
    asked = [
        content["kind"],
        *(each["digest"] for each in content["versions"].values()),
        content["rows"]["digest"],
        policy.model_dump(mode="json"),
        *([content["shadow"]] if "shadow" in content else []),
    ]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _log(store: Store, content: Mapping[str, Any], policy: GateParams, folder: Path) -> None:
    """Log a comparison as a run of its own, once; what an interrupted run left is deleted."""
    from mlflow.entities import Metric

    key = comparison_key(content, policy)
    for run in _runs(store, key):
        if run.data.tags.get(tracking.COMPLETE) == "true":
            print(f"compared already: run '{run.info.run_name}' in {store.address}")
            return
        if store.ours:
            store.client.delete_run(run.info.run_id)
    versions = content["versions"]
    run_id = store.client.create_run(
        store.experiment,
        run_name=f"{content['kind']} {' and '.join(each['version'] for each in versions.values())}",
        tags={
            COMPARISON: key,
            tracking.KIND: content["kind"],
            tracking.COMPLETE: "false",
            "accepted": str(content["decision"]["accepted"]).lower(),
            "mlflow.user": tracking.user_name(),
        },
    ).info.run_id
    for side, each in versions.items():
        store.client.log_param(run_id, side, each["version"])
        store.client.log_param(run_id, f"{side}_digest", each["digest"])
    now = int(time.time() * 1000)
    metrics = [
        Metric(_NOT_IN_NAMES.sub("_", name), figure, now, 0) for name, figure in _figures(content)
    ]
    store.client.log_batch(run_id, metrics=metrics)
    store.client.log_artifacts(run_id, str(folder))
    store.client.set_terminated(run_id)
    store.client.set_tag(run_id, tracking.COMPLETE, "true")
    name = store.client.get_run(run_id).info.run_name
    print(f"compared: run '{name}' in {store.address}, experiment {tracking.EXPERIMENT}")


def _runs(store: Store, key: str) -> list["Run"]:
    return list(store.client.search_runs([store.experiment], f"tags.{COMPARISON} = '{key}'"))


def _figures(content: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the figures of both versions, and what was checked beside them."""
    for name, row in content["metrics"].items():
        for side in content["versions"]:
            if row[side] is not None:
                yield f"{side}/{name}", row[side]["value"]
    for check in content["decision"]["checks"]:
        if "/" in check["name"] and check["figure"] is not None:
            yield f"check/{check['name']}", check["figure"]
    if "shadow" in content:
        yield from shadow_figures(content["shadow"])


@entry_point
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.compare", description=__doc__)
    parser.add_argument("kind", metavar="MODEL")
    parser.add_argument("champion", help="the version to be replaced")
    parser.add_argument("challenger", help="the version to replace it")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument(
        "--shadow", metavar="LOG", type=Path, help="what CAREERLENS_SHADOW_LOG names"
    )
    parser.add_argument("--report", metavar="FOLDER", type=Path, help="leave it there too")
    args = parser.parse_args()
    (kind,) = tracking.chosen_kinds([args.kind])
    params = load_params()
    names = (args.champion, args.challenger)
    compare(kind, names, params, params.gate, args.data, args.shadow, args.report)


if __name__ == "__main__":
    main()
