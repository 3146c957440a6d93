"""From clean public data to bundles, as ``make train`` gets there, and a run with nothing to do.

python -m benchmarks.pipeline [--workspace FOLDER]

What is committed here is cloned into a throw-away folder and the public corpus prepared there
(downloaded, or copied from DATA_MIRROR) up to clean data. Only what comes after is timed. A run
with nothing to do is compared with one of a project of as many stages, with the same parameters,
whose files say nothing: what DVC takes by itself.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
import yaml

from benchmarks.public import ROOT, choose_public
from benchmarks.report import in_turn, machine, medians, show_reach, show_table

#: Seconds, and GiB of all processes at once.
SECONDS, MEMORY = 180.0, 3.0

#: How many times as long as DVC by itself a run with nothing to do may take.
IDLE = 1.1

# What is done before the clock starts; the other stages need nothing else.
_PREPARED = ("validate_raw", "clean", "clean_marks", "validate_clean", "validate_jobs")

_MODULE = "pipelines."
_TICK = 0.1


@dataclass
class Watched:
    """What was seen of a run.

    Attributes
    ----------
    memory : float
        The most GiB that all its processes had at once; what several share counts once.
    stages : dict of str to (float, float, float)
        When each stage was first and last seen, and its seconds of the processors by then.
    """

    memory: float = 0.0
    stages: dict[str, tuple[float, float, float]] = field(default_factory=dict)


def environment() -> dict[str, str]:
    """Return the environment in which stages run: with the Python that runs this."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def run(folder: Path, *command: str) -> None:
    """Run a command there; what it says stands where errors do."""
    subprocess.run(command, cwd=folder, env=environment(), check=True, stdout=sys.stderr)


def prepare(folder: Path) -> None:
    """Make the folder a clone with clean public data."""
    run(ROOT, "git", "clone", "--quiet", str(ROOT), str(folder))
    (folder / ".venv").symlink_to(sys.prefix)
    choose_public(folder)
    run(folder, "dvc", "repro", *_PREPARED)


def stage_of(command: list[str]) -> str | None:
    """Return the stage that a process with this command line is, if it is one."""
    module = next((word for word in command if word.startswith(_MODULE)), None)
    if module is None:
        return None
    name = module.removeprefix(_MODULE)
    model = command[command.index("--model") + 1] if "--model" in command else "/"
    return name if "/" in model else f"{name}@{model}"


def watch(root: psutil.Process, watched: Watched, done: Event) -> None:
    """Look at all that ``root`` has started, again and again, until it is done."""
    while not done.wait(_TICK):
        memory = 0
        for process in root.children(recursive=True):
            try:
                memory += process.memory_full_info().pss
                stage = stage_of(process.cmdline())
                times = process.cpu_times()
            except psutil.Error:
                continue  # it has just ended
            if stage is not None:
                now = time.monotonic()
                first, _, _ = watched.stages.get(stage, (now, now, 0.0))
                spent = times.user + times.system + times.children_user + times.children_system
                watched.stages[stage] = first, now, spent
        watched.memory = max(watched.memory, memory / 2**30)


def train(folder: Path) -> tuple[float, Watched]:
    """Return the seconds from clean data to bundles, and what was seen meanwhile."""
    watched, done = Watched(), Event()
    watcher = Thread(target=watch, args=(psutil.Process(), watched, done))
    watcher.start()
    start = time.monotonic()
    try:
        run(folder, "make", "-j2", "chains")
    finally:
        seconds = time.monotonic() - start
        done.set()
        watcher.join()
    return seconds, watched


def make_plain(lock: Mapping[str, Mapping[str, Any]], parameters: Path, folder: Path) -> None:
    """Make a DVC project of the stages in ``lock``, whose files say nothing, and run it."""
    shutil.copy(parameters, folder)
    stages = {}
    files = {
        name: {key: [each["path"] for each in stage.get(key, ())] for key in ("deps", "outs")}
        for name, stage in lock.items()
    }
    read = {path for each in files.values() for path in each["deps"]}
    made = {path for each in files.values() for path in each["outs"]}
    for path in sorted(read):
        if not any(Path(path).is_relative_to(out) for out in made):
            for leaf in leaves(path, read):
                (folder / leaf).parent.mkdir(parents=True, exist_ok=True)
                (folder / leaf).write_text("\n", encoding="utf-8")
    for name, each in files.items():
        written = [leaf for path in each["outs"] for leaf in leaves(path, read)]
        params = [{file: [*chosen]} for file, chosen in lock[name].get("params", {}).items()]
        stages[name.replace("@", "-")] = each | {
            "cmd": [f"mkdir -p $(dirname {path}) && echo > {path}" for path in written],
            "params": params,
        }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    run(folder, "dvc", "init", "--no-scm", "--quiet")
    run(folder, "dvc", "repro")


def leaves(path: str, read: Collection[str]) -> list[str]:
    """Return what is read in a folder, or the path itself if it is none."""
    within = [other for other in read if other != path and Path(other).is_relative_to(path)]
    return [leaf for other in within for leaf in leaves(other, read)] or [path]


def seconds_of_nothing(folder: Path) -> float:
    """Return how long ``dvc repro`` takes where there is nothing to do."""
    start = time.monotonic()
    run(folder, "dvc", "repro", "--quiet")
    return time.monotonic() - start


def main() -> None:
    """Print what was measured, and fail if it is not what it shall be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workspace", type=Path, help="keep the clone here; it must not exist")
    parser.add_argument("--rounds", type=int, default=5, help="runs with nothing to do")
    args = parser.parse_args()
    print(machine(), end="\n\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="careerlens-benchmark-") as home:
        folder = (args.workspace or Path(home) / "clone").resolve()
        plain = Path(home) / "plain"
        plain.mkdir()
        prepare(folder)
        seconds, watched = train(folder)
        show_table(
            ("stage", "seconds", "of the processors"),
            [
                *((name, last - first, cpu) for name, (first, last, cpu) in watched.stages.items()),
                ("all", seconds, sum(cpu for _, _, cpu in watched.stages.values())),
            ],
        )
        run(folder, "dvc", "repro")  # what no bundle needs
        lock = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]
        make_plain(lock, folder / "params.yaml", plain)
        measures = {"here": folder, "DVC by itself": plain}
        idle = medians(
            in_turn(
                {name: partial(seconds_of_nothing, each) for name, each in measures.items()},
                args.rounds,
            )
        )
    print()
    show_table(
        (f"dvc repro of {len(lock)} stages with nothing to do", "seconds"), list(idle.items())
    )
    print()
    checks = [
        show_reach("seconds from clean data to bundles", seconds, SECONDS, at_most=True),
        show_reach("GiB of all processes", watched.memory, MEMORY, at_most=True),
        show_reach(
            "dvc repro with nothing to do, to DVC by itself",
            idle["here"] / idle["DVC by itself"],
            IDLE,
            at_most=True,
        ),
    ]
    sys.exit(not all(checks))


if __name__ == "__main__":
    main()
