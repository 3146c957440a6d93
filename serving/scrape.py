"""What all workers counted, read at one moment: the dead are counted on, and versions bounded."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
from filelock import FileLock
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

#: Versions of a kind that are shown, newest first, beside those that answer.
KEPT_VERSIONS = 5

#: Stands where a file's name has a process id: what workers that have died counted.
_DEAD = 0

# What runs in the processes beside a worker, by what they are for.
_MODULES = {"workshop": "serving.workshop_child", "feedback": "serving.feedback.clerk_child"}


def read_workers(folder: Path) -> list[Metric]:
    """Return what the workers counted, those that have died included, and no gauge of theirs.

    Parameters
    ----------
    folder : Path
        Where each worker has files of its own, as prometheus_client writes them.
    """
    with FileLock(folder / "dead.lock"):
        for pid in sorted(_pids(folder) - {_DEAD}):
            if not psutil.pid_exists(pid):
                _bury(folder, pid)
        collector = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]
        return list(collector.collect())  # type: ignore[no-untyped-call]


def bound_versions(metrics: Iterable[Metric]) -> Iterator[Metric]:
    """Yield ``metrics`` without the samples of versions that stopped answering long ago.

    Models are swapped for as long as the service runs, and what was counted stays.
    """
    metrics = list(metrics)
    answering = {
        (sample.labels["kind"], sample.labels["version"])
        for metric in metrics
        if metric.name == "careerlens_model_info"
        for sample in metric.samples
        if sample.value
    }
    known: dict[str, set[str]] = defaultdict(set)
    for metric in metrics:
        for sample in metric.samples:
            if "version" in sample.labels and "kind" in sample.labels:
                known[sample.labels["kind"]].add(sample.labels["version"])
    newest = {
        (kind, version)
        for kind, versions in known.items()
        for version in sorted(versions, key=_number, reverse=True)[:KEPT_VERSIONS]
    }
    for metric in metrics:
        kept = answering if metric.name == "careerlens_model_info" else answering | newest
        metric.samples = [
            sample
            for sample in metric.samples
            if "version" not in sample.labels
            or "kind" not in sample.labels
            or (sample.labels["kind"], sample.labels["version"]) in kept
        ]
        yield metric


def read_processes(folder: Path | None) -> Iterator[Metric]:
    """Yield what each worker takes of the machine, with the processes it started.

    Parameters
    ----------
    folder : Path or None
        As :func:`read_workers` takes it; None for this process alone.
    """
    memory = GaugeMetricFamily(
        "careerlens_worker_memory_bytes",
        "Resident memory of each worker, of the processes beside it, and of its other processes.",
        labels=["pid", "part"],
    )
    seconds = CounterMetricFamily(
        "careerlens_worker_cpu_seconds",
        "Processor time of each worker, and of those of its other processes that have ended.",
        labels=["pid"],
    )
    workers = {os.getpid()} if folder is None else _pids(folder) - {_DEAD}
    for pid in sorted(workers):
        try:
            worker = psutil.Process(pid)
            children = worker.children(recursive=True)
            memory.add_metric([str(pid), "worker"], worker.memory_info().rss)
            for part, processes in _by_part(children).items():
                memory.add_metric([str(pid), part], sum(map(_resident, processes)))
            seconds.add_metric([str(pid)], sum(worker.cpu_times()[:4]))
        except psutil.Error:  # it ended just now
            continue
    yield memory
    yield seconds


def _pids(folder: Path) -> set[int]:
    """Return the processes that have files, from names such as ``gauge_livemax_123.db``."""
    return {int(path.stem.rpartition("_")[2]) for path in folder.glob("*.db")}


def _bury(folder: Path, pid: int) -> None:
    """Drop the gauges of a worker that has died, and add its counts to those of all the dead.

    Without it a worker that dies every minute leaves files that every scrape reads, for ever.
    """
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
    for path in folder.glob(f"*_{pid}.db"):
        total = MmapedDict(str(path.with_name(f"{path.stem.rpartition('_')[0]}_{_DEAD}.db")))  # type: ignore[no-untyped-call]
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]
            before, _ = total.read_value(key)  # type: ignore[no-untyped-call]
            total.write_value(key, before + value, 0.0)  # type: ignore[no-untyped-call]
        total.close()  # type: ignore[no-untyped-call]
        path.unlink()


def _by_part(children: Iterable[psutil.Process]) -> dict[str, list[psutil.Process]]:
    """Return what a worker started: the processes beside it, and its readers of documents."""
    parts: dict[str, list[psutil.Process]] = {"workshop": [], "feedback": [], "readers": []}
    for child in children:
        try:
            words = " ".join(child.cmdline())
        except psutil.Error:  # it ended just now
            continue
        part = next((part for part, module in _MODULES.items() if module in words), "readers")
        parts[part].append(child)
    return parts


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _number(version: str) -> int:
    number = version.removeprefix("v")
    return int(number) if number.isdecimal() else 0
