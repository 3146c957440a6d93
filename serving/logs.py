"""One JSON line for each request and event, ours and the libraries', on stderr; never a text."""

import json
import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from pydantic_core import to_json
from structlog.typing import FilteringBoundLogger

Log = FilteringBoundLogger

# Of a library's message; what follows the first line may be a repr of anything.
_LONGEST = 300


def open_log(level: str, stream: TextIO | None = None) -> Log:
    """Return a log that writes what is at or above ``level`` to ``stream``, stderr by default."""
    log: Log = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", _Unfailing(stream or sys.stderr))),
        processors=[_as_line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    return log.bind()  # made ready here, and not for each line


def _as_line(_: object, level: str, fields: MutableMapping[str, Any]) -> str:
    """Return a line; in one step, as there is one for each request."""
    fields["level"] = level
    fields["timestamp"] = f"{datetime.now(UTC).replace(tzinfo=None).isoformat()}Z"
    try:
        return to_json(fields, fallback=repr).decode()
    except ValueError:  # a lone surrogate, as names of files may hold: the library escapes it
        return json.dumps(fields, default=repr)


def where_raised(error: BaseException) -> list[str]:
    """Return the places an error passed, innermost last.

    Its message is left out on purpose: many carry a piece of what was being read.
    """
    frames = traceback.extract_tb(error.__traceback__)
    here = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return [*here, *getattr(error, "places", ())] or ["nowhere"]  # those of another process


def take_over(log: Log) -> None:
    """Write what libraries log, and what nobody caught, as ``log`` writes.

    In the place of BentoML's handlers, which print errors with their messages: those may quote what
    was being read.
    """
    logging.raiseExceptions = False  # or a message that cannot be written is printed instead
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers = [_Libraries(log)]
    for name in ("bentoml", "uvicorn.error", "circus"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    # The front writes a line for each request; uvicorn's would have the address as it was sent.
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate, access.disabled = [], False, True

    def uncaught(error: BaseException | None, where: str) -> None:
        if error is not None:
            log.error("uncaught", where=where, **_error_fields(error))

    threading.excepthook = lambda args: uncaught(
        args.exc_value, args.thread.name if args.thread else "thread"
    )
    sys.unraisablehook = lambda args: uncaught(args.exc_value, "unraisable")


class _Unfailing:
    """A stream that loses what cannot be written: where the disk is full, or nobody reads.

    An error would end whatever just had something to say: the thread that follows the keys, or the
    answer to a request.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        try:
            self._stream.write(line)
        except OSError:
            return

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            return


class _Libraries(logging.Handler):
    """From the standard library's records to our lines."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields |= _error_fields(record.exc_info[1])
        self._log.log(record.levelno, _first_line(record), **fields)


def _first_line(record: logging.LogRecord) -> str:
    try:
        line = record.getMessage().partition("\n")[0]
    except (TypeError, ValueError):  # the arguments do not fit the message
        return str(record.msg)[:_LONGEST]
    if record.name == "py.warnings":  # file, line and sort; the rest may quote a value
        line = ": ".join(line.split(": ")[:2])
    return line[:_LONGEST]


def _error_fields(error: BaseException) -> dict[str, Any]:
    return {"error": type(error).__name__, "place": where_raised(error)}
