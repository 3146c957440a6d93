"""Tell whether what a service judges is still what its models were made for.

Exit code 0: no alarm. 3: an alarm, so that a scheduler can have the models trained anew. 1: the
question cannot be answered, and the last line says why.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import numpy as np

from models.bundle import verify_bundle
from models.errors import FormatError
from models.hub import Hub
from models.params import Params, load_params
from pipelines.champions import add_hub, hub_cache, repo_of
from pipelines.drift_checks import run_checks
from pipelines.drift_report import Compared, write_report
from pipelines.entry import entry_point
from pipelines.prediction_log import Logged, PredictionLogError, TextKind, read_log
from pipelines.reference import FIGURES, Reference, condense, read_reference

ALARM = 3

_SPAN = re.compile(r"(\d+)([hd])")


def compare_kind(
    logged: Logged,
    kind: TextKind,
    bundle: Path | None,
    earlier: Logged | None,
    hub: Hub,
    params: Params,
) -> Compared:
    """Return what the log says of one kind.

    Parameters
    ----------
    logged : Logged
    bundle : Path or None
        Of the model that is asked about; None for the one that answered last.
    earlier : Logged or None
        What to compare with in the place of the bundle's reference.
    hub : Hub
        Where that model's bundle is found.

    Raises
    ------
    CareerlensError
        If the log has nothing of the model, or there is nothing to compare it with.
    """
    if not logged.rows:
        raise PredictionLogError(f"the log has no message that a model of {kind} judged")
    if bundle is None and earlier is None:
        newest = logged.rows[-1]
        bundle = bundle_of(hub, repo_of(params, kind), newest.version, newest.digest)
    if bundle is None:
        digest = logged.rows[-1].digest
    else:
        manifest, digest = verify_bundle(bundle)
        if manifest.kind != kind:
            raise FormatError(f"{bundle} holds a model of kind {manifest.kind!r}, not {kind!r}")
    rows = logged.of_model(digest)
    if not rows:
        raise PredictionLogError(f"the log has no message that {kind} {digest[:12]} judged")
    if earlier is not None:
        reference, origin = _earlier(earlier, digest), "an earlier log"
    else:
        assert bundle is not None
        reference, origin = read_reference(bundle), "its validation rows"
    columns = {figure: np.array([getattr(row, figure) for row in rows]) for figure in FIGURES}
    return Compared(
        kind=kind,
        version=rows[-1].version,
        digest=digest,
        origin=origin,
        reference=reference,
        columns=columns,
        thresholds=rows[-1].thresholds,
        first=rows[0].time,
        last=rows[-1].time,
        of_others=len(logged.rows) - len(rows),
        unreadable=logged.unreadable,
        checks=run_checks(reference, columns, rows[-1].thresholds, params.drift),
    )


def bundle_of(hub: Hub, repo: str, version: str, digest: str | None = None) -> Path:
    """Return a verified copy of a version's bundle.

    Raises
    ------
    HashMismatchError
        If it has not the ``digest`` that the log gives that version.
    """
    fetched = hub.fetch(repo, hub.resolve(repo, version), hub_cache())
    verify_bundle(fetched.path / "bundle", digest)
    return fetched.path / "bundle"


def parse_since(text: str) -> datetime:
    """Return the time that ``7d``, ``12h`` or an ISO 8601 time says."""
    if span := _SPAN.fullmatch(text):
        unit = "days" if span[2] == "d" else "hours"
        return datetime.now(UTC) - timedelta(**{unit: int(span[1])})
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _earlier(earlier: Logged, digest: str) -> Reference:
    rows = earlier.of_model(digest)
    if not rows:
        raise PredictionLogError(f"the earlier log has no message that {digest[:12]} judged")
    return condense({figure: getattr(row, figure) for figure in FIGURES} for row in rows)


def _parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.drift",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--log", type=Path, required=True, help="folder or file of the log")
    parser.add_argument("--report", type=Path, required=True, help="folder for the report")
    parser.add_argument("--kind", choices=get_args(TextKind), help="default: both")
    parser.add_argument(
        "--model", help="a version such as v3, or a bundle's folder; default: what answered last"
    )
    parser.add_argument(
        "--since", type=parse_since, help="7d, 12h or an ISO 8601 time; default: all there is"
    )
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="LOG",
        help="compare with this earlier log, and not with the rows that the model was tuned on",
    )
    add_hub(parser)
    args = parser.parse_args(argv)
    if args.model is not None and args.kind is None:
        parser.error("--model is one model: say which --kind it is of")
    return args


@entry_point
def main() -> None:
    """Run the command."""
    args = _parse_args()
    params = load_params()
    kinds: tuple[TextKind, ...] = (args.kind,) if args.kind else get_args(TextKind)
    found = []
    for kind in kinds:
        bundle = None
        if args.model is not None:
            folder = Path(args.model)
            is_folder = folder.is_dir()
            bundle = folder if is_folder else bundle_of(args.hub, repo_of(params, kind), args.model)
        earlier = None if args.reference is None else read_log(args.reference, kind, None)
        logged = read_log(args.log, kind, args.since)
        found.append(compare_kind(logged, kind, bundle, earlier, args.hub, params))
    verdict = write_report(found, args.log, args.report)
    for each in found:
        for check in each.checks:
            print(
                f"{each.kind} {each.version} {check.figure:<12} {check.measure:<3} "
                f"{check.value:6.3f}  {check.verdict}"
            )
    print(f"drift: {verdict}; {args.report / 'report.md'} has the plots")
    if verdict == "alarm":
        sys.exit(ALARM)


if __name__ == "__main__":
    main()
