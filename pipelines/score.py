"""Score a file of messages or resumes with the champions, on all cores or on a Dask cluster.

INPUT and OUTPUT are .csv, .jsonl (both also with .gz) or .parquet, here or at any address that
fsspec reaches. The output has a row for each row of the input, in its order: its number, what the
models say, their versions and digests. Rows that cannot be scored are in OUTPUT.errors.jsonl, with
the reason. A job that was interrupted goes on where it was when the same command is run again.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, get_args

from tqdm import tqdm

from models.bundle import verify_bundle
from models.errors import FormatError
from models.hub import MAIN, Hub, LocalHub
from models.manifest import Kind
from models.params import load_params
from models.trust import read_trust
from pipelines.batch_files import BatchError, Output, Part
from pipelines.batch_input import Batch, Partition, open_batch
from pipelines.batch_work import KINDS_OF, Job, Pinned, Task, score_partition
from pipelines.champions import add_hub, fetch, repo_of
from pipelines.cluster import add_cluster, connect, positive, spread
from pipelines.entry import entry_point

#: Rows of a partition unless chosen otherwise: seconds of work.
ROWS: dict[Task, int] = {"moderation": 10_000, "skills": 500, "recommend": 200}


def score(args: argparse.Namespace) -> list[Part]:
    """Do what the command line says; return what became of each partition.

    Raises
    ------
    CareerlensError
        If the job cannot be done, or gone on with; rows that cannot be scored are no reason.
    """
    output = Output(args.output)
    rows = args.rows or ROWS[args.model]
    with open_batch(args.input, args.column, args.id, rows) as batch:
        asked = {"model": args.model, "column": args.column, "id": args.id, "rows": rows}
        models = _begin(output, args.hub, asked)
        # Of a hub elsewhere the workers' own environment says where and with which token.
        hub = str(args.hub) if isinstance(args.hub, LocalHub) else "hf:"
        job = Job(args.model, hub, models, batch.layout, output.form, output.compressed)
        parts = _run(job, batch, output, args.scheduler, args.workers)
        output.finish(parts, job.columns)
    return parts


def _begin(output: Output, hub: Hub, asked: dict[str, Any]) -> tuple[Pinned, ...]:
    """Return the models to score with: the champions, or those that a job was begun with."""
    begun = output.begun()
    task: Task = asked["model"]
    if begun is None:
        if output.exists():
            raise BatchError(f"{output.address} is there already: remove it, or name another file")
        models = tuple(_pin(hub, kind) for kind in KINDS_OF[task])
        output.begin({**asked, "models": [asdict(model) for model in models]})
        return models
    for name, value in asked.items():
        if begun[name] != value:
            raise BatchError(
                f"{output.address} was begun with {name} {begun[name]!r}, not {value!r}: run it as "
                f"then, or remove {output.address}.parts to begin anew"
            )
    models = tuple(Pinned(**model) for model in begun["models"])
    for model in models:
        _pin(hub, model.kind, model)
        now = hub.release(model.repo, MAIN)
        if now.digest != model.digest:
            print(
                f"score: {model.kind} {model.version} goes on, as the job was begun with it; the "
                f"champion is {now.tag} now"
            )
    return models


def _pin(hub: Hub, kind: Kind, known: Pinned | None = None) -> Pinned:
    """Return a champion, or what is ``known``, after its release was verified here."""
    repo = repo_of(load_params(), kind) if known is None else known.repo
    commit = hub.resolve(repo, MAIN) if known is None else known.commit
    fetched = fetch(hub, repo, commit)
    release = fetched.release
    if release.kind != kind:
        raise FormatError(f"{repo} holds a release of kind {release.kind!r}: publish it anew")
    read_trust(os.environ).check(fetched.path)
    verify_bundle(fetched.path / "bundle", release.digest if known is None else known.digest)
    return Pinned(kind, repo, commit, release.tag, release.digest)


def _run(job: Job, batch: Batch, output: Output, scheduler: str | None, workers: int) -> list[Part]:
    """Score the partitions that are not done yet; return all of them in order."""
    before = output.parts()
    parts: dict[int, Part] = {}

    def remaining() -> Iterator[tuple[Job, Partition]]:
        for partition in batch.partitions:
            done = before.get(partition.number)
            if done is None:
                yield job, partition
            elif done.digest != partition.digest:
                raise _changed(output)
            else:
                parts[done.number] = done
                bar.update(partition.width)

    unit = " rows" if job.layout.form == "parquet" else "B"
    with (
        tqdm(total=batch.size, unit=unit, unit_scale=True, desc="score") as bar,
        connect(scheduler, workers) as client,
    ):
        for scored in spread(client, score_partition, remaining()):
            output.add(scored.part, scored.content, scored.errors)
            parts[scored.part.number] = scored.part
            bar.update(scored.width)
    if before.keys() - parts.keys():
        raise _changed(output)
    return [parts[number] for number in sorted(parts)]


def _changed(output: Output) -> BatchError:
    return BatchError(
        f"the input is not what {output.address} was begun with: remove {output.address}.parts to "
        "begin anew"
    )


def parse_args() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.score",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", metavar="INPUT")
    parser.add_argument("output", metavar="OUTPUT")
    parser.add_argument("--model", required=True, choices=get_args(Task))
    parser.add_argument("--column", default="text", help="with the text (default: %(default)s)")
    parser.add_argument("--id", metavar="COLUMN", help="which goes into the output, as `id`")
    parser.add_argument("--rows", type=positive, help="most rows scored at a time by a worker")
    add_cluster(parser)
    add_hub(parser)
    return parser.parse_args()


@entry_point
def main() -> None:
    """Run the command."""
    args = parse_args()
    parts = score(args)
    rows, faults = sum(part.rows for part in parts), sum(part.faults for part in parts)
    beside = f"; {faults:,} that cannot be are in {args.output}.errors.jsonl" if faults else ""
    print(f"score: {rows:,} rows are in {args.output}{beside}")


if __name__ == "__main__":
    main()
