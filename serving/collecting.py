"""The garbage collector while a lot is made that stays, and from then on."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the collector from walking what is being loaded, again and again as it grows.

    That takes a fifth of what loading takes, and finds nothing.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """Tell the collector that what is loaded stays: walking it makes the longest pauses of all.

    Models hold no cycles: the last reference frees them, and never the collector. So those that
    are replaced need no unfreezing, after which it would walk all the others. Requests leave no
    cycles, and what is kept of them holds no objects that it walks: few survive a collection, so
    that it may come often, which keeps each short. All that has survived is walked rarely, once in
    millions of requests: that takes a tenth of a second, for which everybody waits.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(500, 10, 5_000)
