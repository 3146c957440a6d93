"""One JSON line for each request and event, on stderr; never a message's text."""

import sys
import traceback
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger

Log = FilteringBoundLogger


def open_log(level: str, stream: TextIO | None = None) -> Log:
    """Return a log that writes what is at or above ``level`` to ``stream``, stderr by default."""
    log: Log = structlog.wrap_logger(
        structlog.WriteLogger(stream or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return log


def where_raised(error: BaseException) -> list[str]:
    """Return the places an error passed, innermost last.

    Its message is left out on purpose: many carry a piece of what was being read.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames] or ["nowhere"]
