"""The quality of both text models against what they shall reach, and against peers.

python -m benchmarks.quality [--workspace .cache/quality] [--trained] [--peers]

The public corpus is fetched (or copied from DATA_MIRROR) and both models are trained on it in the
workspace; ``--trained`` takes the workspace as it is. Each figure has its 95 % interval.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.public import train_public
from benchmarks.quality_figures import Line, Models
from benchmarks.quality_peers import show_peers
from benchmarks.quality_rows import read_quality_rows
from benchmarks.quality_spam import spam_lines
from benchmarks.quality_toxicity import toxicity_lines
from models.bundle import load_bundle
from models.kinds import FORMATS
from models.params import load_params

BEHAVIOUR = Path("data/behaviour")


def show(lines: Iterator[Line]) -> None:
    """Print a Markdown table, line by line as the figures come."""
    print("| what | rows | figure, 95 % | reach |\n|---|---|---|---|")
    for line in lines:
        print(f"| {line.what} | {line.rows:,} | {line.figure} | {line.reach} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workspace", type=Path, default=Path(".cache/quality"))
    parser.add_argument("--trained", action="store_true", help="take the workspace as it is")
    parser.add_argument("--peers", action="store_true", help="install and ask the peers too")
    args = parser.parse_args()
    workspace: Path = args.workspace.resolve()

    if not args.trained:
        train_public(workspace)
    rows = read_quality_rows(workspace, BEHAVIOUR)
    spam, toxicity = (
        load_bundle(workspace / "artifacts" / kind / "release" / "bundle", FORMATS[kind])
        for kind in ("spam", "toxicity")
    )
    models = Models(spam, toxicity)
    params = load_params()
    print(f"spam {spam.digest[:12]}, toxicity {toxicity.digest[:12]}\n")
    show(spam_lines(models, rows, params))
    print()
    show(toxicity_lines(models, rows, params.evaluate))
    if args.peers:
        print()
        show_peers(models, rows, workspace / "peers")


if __name__ == "__main__":
    main()
