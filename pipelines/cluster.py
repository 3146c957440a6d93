"""Work spread over processes with Dask: on this machine, or on a cluster that is there already."""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from distributed import Client, KilledWorker, LocalCluster, as_completed
from distributed.client import FutureCancelledError

from models.errors import CareerlensError

#: Tasks handed out for each thread of a worker: one that it does, and the next.
_AHEAD = 2

# For a scheduler, or for its first worker.
_SECONDS = 30.0

R = TypeVar("R")


class ClusterError(CareerlensError):
    """The cluster cannot be reached, has no workers, or lost them."""


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Let a command read where its work shall be done."""
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster to use")
    parser.add_argument(
        "--workers",
        type=positive,
        default=os.cpu_count(),
        help="processes to start where no cluster is named (default: %(default)s)",
    )


def positive(text: str) -> int:
    """Return a number from a command line that must be at least 1."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


@contextmanager
def connect(scheduler: str | None, workers: int) -> Iterator[Client]:
    """Open a cluster for the time of a ``with`` block.

    Parameters
    ----------
    scheduler : str or None
        The address of a scheduler, such as ``tcp://10.0.0.5:8786``; without it processes are
        started here, one thread in each, and stopped afterwards.
    workers : int
        How many processes to start.

    Raises
    ------
    ClusterError
        If there is no scheduler at that address, or it has no workers.
    """
    if scheduler is None:
        with (
            # Its HTTP server, which cannot be left out, takes any port and answers this machine.
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=_SECONDS)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {scheduler}: {error}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS)
        except TimeoutError as error:
            raise ClusterError(
                f"the scheduler at {scheduler} has no workers: start `dask worker {scheduler}`"
            ) from error
        yield client


def spread(
    client: Client, function: Callable[..., R], calls: Iterable[tuple[Any, ...]]
) -> Iterator[R]:
    """Yield what ``function`` returns for each of ``calls``, as it comes.

    However many calls there are, only a few for each worker are under way, and ``calls`` is read no
    further. What a worker had when it died is done again by another one.

    Parameters
    ----------
    function : callable
        A function of a module that the workers can import.
    calls : iterable of tuple
        The arguments of each call.

    Raises
    ------
    ClusterError
        If the scheduler goes away, or one call costs several workers their lives.
    """
    waiting = iter(calls)
    under_way = as_completed()

    def hand_out() -> None:
        room = _AHEAD * max(sum(client.nthreads().values()), 1) - under_way.count()
        for arguments in islice(waiting, max(room, 0)):
            under_way.add(client.submit(function, *arguments, pure=False))

    hand_out()
    for future in under_way:
        try:
            result = future.result()
        except KilledWorker as error:
            raise ClusterError(
                f"workers die of one piece of work again and again: {error}"
            ) from error
        except FutureCancelledError as error:
            raise ClusterError(f"the Dask scheduler went away: {error}") from error
        yield result
        hand_out()
