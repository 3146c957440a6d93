"""Make the current result a registered version of each model, and point ``challenger`` at it."""

import argparse
from pathlib import Path

from models.manifest import KINDS
from pipelines import tracking
from pipelines.entry import entry_point
from pipelines.tracking import Packaged, Store, TrackingError


def register(store: Store, kind: str, packaged: Packaged) -> tuple[int, bool]:
    """Return the version of a tracked bundle and whether it is new.

    A bundle that was registered before keeps its version; ``challenger`` points at it again.

    Raises
    ------
    TrackingError
        If the bundle was never tracked.
    """
    known = [
        number
        for number, version in tracking.versions(store, kind).items()
        if version.tags.get("digest") == packaged.digest
    ]
    version = known[-1] if known else _create_version(store, kind, packaged)
    if tracking.alias(store, kind, tracking.CHALLENGER) != version:
        store.client.set_registered_model_alias(kind, tracking.CHALLENGER, str(version))
    return version, not known


def _create_version(store: Store, kind: str, packaged: Packaged) -> int:
    run = tracking.find_model_run(store, kind, packaged.digest)
    if run is None:
        raise TrackingError(
            f"the {kind} bundle {packaged.digest[:12]} has no run in {store.address}: "
            "run `python -m pipelines.track` first"
        )
    if not store.client.search_registered_models(f"name = '{kind}'"):
        store.client.create_registered_model(kind)
    version = store.client.create_model_version(
        kind,
        source=f"{run.info.artifact_uri}/{tracking.RELEASE}",
        run_id=run.info.run_id,
        tags={"digest": packaged.digest, tracking.CORPUS: packaged.corpus},
    )
    return int(version.version)


@entry_point
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.register", description=__doc__)
    parser.add_argument(
        "kinds", nargs="*", metavar="MODEL", help=f"any of {', '.join(KINDS)}; default all"
    )
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    args = parser.parse_args()
    kinds = tracking.chosen_kinds(args.kinds)
    packaged = {
        kind: tracking.read_packaged(args.artifacts / kind / tracking.RELEASE) for kind in kinds
    }
    with tracking.open_store() as store:
        for kind, bundle in packaged.items():
            version, new = register(store, kind, bundle)
            state = "registered" if new else "is registered as"
            print(f"{kind}: {state} version {version} (digest {bundle.digest[:12]})")


if __name__ == "__main__":
    main()
