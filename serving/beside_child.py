"""How a process beside a worker answers what it is asked."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from models.errors import CareerlensError
from models.sandbox import let_others_first
from serving.beside import Raised, UnforeseenError, receive, send
from serving.errors import RequestError
from serving.logs import where_raised

# Whoever asks keeps to fewer.
_MOST_BESIDE = 128


def serve(target: object, *, last: bool) -> None:
    """Answer by the methods of ``target`` until the worker closes its connections, or is gone.

    What comes over the last connection is done beside the rest, each question by a thread of its
    own; the others have one thread each, which does one thing after the other.

    Parameters
    ----------
    target : object
    last : bool
        Whether everything else on the machine goes before what it is asked, see
        :func:`models.sandbox.let_others_first`; but for what comes over the first connection, which
        the worker's start waits for.
    """
    first, in_turn, beside = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever sends it means the worker
    threading.Thread(target=_serve, args=(target, first), daemon=True).start()
    if last:
        let_others_first()
    threading.Thread(target=_serve, args=(target, in_turn), daemon=True).start()
    _serve(target, beside, ThreadPoolExecutor(_MOST_BESIDE))


def _serve(target: object, line: socket.socket, threads: ThreadPoolExecutor | None = None) -> None:
    sending = threading.Lock()

    def answer(number: int, question: Iterable[Any]) -> None:
        with _last_words():
            found = _outcome(target, *question)
            with sending:
                send(line, number, found)
            del found  # an error has this frame, which would have the error and a document

    with _last_words():
        while True:
            if threads is None:
                answer(*receive(line))
            else:
                threads.submit(answer, *receive(line))


@contextmanager
def _last_words() -> Iterator[None]:
    """End the process with whatever it cannot go on without."""
    try:
        yield
    except (EOFError, OSError):  # nobody is there any more who could use what is under way
        os._exit(0)
    except BaseException:  # or the worker would wait for an answer of a thread that is gone
        os._exit(1)


def _outcome(
    target: object,
    method: Callable[..., object],
    given: Iterable[object],
    named: Mapping[str, object],
) -> object:
    try:
        return method(target, *given, **named)
    except (CareerlensError, RequestError) as error:
        cause = error.__cause__
        known = cause if isinstance(cause, OSError | MemoryError) else None
        return Raised(error, known, where_raised(error))
    except Exception as error:  # the process's edge: the worker answers and logs it
        sort = type(error).__name__
        return Raised(UnforeseenError(sort), None, [*where_raised(error), sort])
