"""Send a registered version of each model to the hub; the first good one becomes the champion.

Every step may be repeated: what is there already is left as it is, so after an interruption the
command is simply run again.
"""

import argparse
import os
import sys
from dataclasses import asdict

from models.gates import Check, Decision, check_floors, flatten_metrics
from models.hub import Hub
from models.manifest import KINDS, Kind
from models.params import Params, load_params
from models.trust import Trust, read_trust
from pipelines import tracking
from pipelines.champions import add_hub, crown, current_champion, has_champion, repo_of
from pipelines.entry import entry_point
from pipelines.tracking import Store, TrackingError

#: Exit code of ``--check``; an error has 1.
NOTHING_RELEASED = 3


def publish(
    store: Store,
    hub: Hub,
    kind: Kind,
    params: Params,
    trust: Trust,
    number: int | None = None,
) -> bool:
    """Publish one version, make it the champion if the hub has none, mirror the champion's alias.

    Parameters
    ----------
    trust : Trust
        Whose signature it needs, if any.
    number : int, optional
        The version; by default the one that the alias ``challenger`` names.

    Returns
    -------
    bool
        Whether the hub now has a champion; False when this version is below its floors.
    """
    # What it needs takes seconds to import, and --check needs none of it.
    from pipelines.sending import registered_version, send_version

    repo = repo_of(params, kind)
    champion = current_champion(store, hub, repo, kind)
    version = registered_version(store, kind, number)
    sent = send_version(store, hub, repo, kind, version, trust)
    if champion is None:
        floors = params.floors(kind, sent.bundle.manifest.corpus)
        decision = check_floors(flatten_metrics(sent.bundle.metrics), floors)
        print(decision_table(decision))
        if not decision.accepted:
            print(refusal(f"{kind}: {sent.release.tag} is refused as champion", decision))
            return False
        champion = crown(store, hub, repo, kind, sent.fetched, None, asdict(decision))
    if champion.release.tag == sent.release.tag:
        print(f"{kind}: {sent.release.tag} is the champion")
    else:
        print(
            f"{kind}: the champion is still {champion.release.tag}; "
            f"`python -m pipelines.promote {kind}` judges the challenger"
        )
    return True


def decision_table(decision: Decision) -> str:
    """Return the checks of a decision as a table for people."""
    rows = [("check", "figure", "bound", ""), *map(_row, decision.checks)]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"  {name:<{wide[0]}}  {figure:>{wide[1]}}  {bound:<{wide[2]}}  {state}".rstrip()
        for name, figure, bound, state in rows
    )


def refusal(sentence: str, decision: Decision) -> str:
    """Return ``sentence`` with the reasons of a decision against a version, a line each."""
    return "\n  - ".join((f"{sentence}:", *decision.reasons))


def _row(check: Check) -> tuple[str, str, str, str]:
    limit = "at least" if check.limit == "floor" else "at most"
    state = "ok" if check.passed else "FAILED"
    return check.name, _number(check.figure), f"{limit} {_number(check.bound)}", state


def _number(figure: float | None) -> str:
    if figure is None:
        return "missing"
    return f"{figure:,.0f}" if float(figure).is_integer() else f"{figure:.4f}"


@entry_point
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.publish", description=__doc__)
    parser.add_argument(
        "kinds", nargs="*", metavar="MODEL", help=f"any of {', '.join(KINDS)}; default all"
    )
    parser.add_argument("--version", type=int, help="default: the version aliased challenger")
    add_hub(parser)
    parser.add_argument(
        "--check",
        action="store_true",
        help="publish nothing; exit with 0, and 3 if a model has no champion on the hub",
    )
    args = parser.parse_args()
    kinds = tracking.chosen_kinds(args.kinds)
    hub, params = args.hub, load_params()
    if args.check:
        repos = [repo_of(params, kind) for kind in kinds]
        sys.exit(0 if all(has_champion(hub, repo) for repo in repos) else NOTHING_RELEASED)
    if args.version is not None and len(kinds) != 1:
        raise TrackingError(f"--version is about one model: name it, one of {', '.join(KINDS)}")
    trust = read_trust(os.environ)
    with tracking.open_store() as store:
        accepted = [publish(store, hub, kind, params, trust, args.version) for kind in kinds]
    if not all(accepted):
        sys.exit(
            "publish: what was refused is on the hub as challenger, but is not served: train a "
            "better model (artifacts/report.md), or set its floors in params.yaml"
        )


if __name__ == "__main__":
    main()
