"""Caches of answers and lines before work, as the service makes them."""

import io
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from serving.cache import AnswerCache, open_cache
from serving.logs import open_log
from serving.metrics import Metrics
from serving.monitor import Monitor, MonitorMetrics
from serving.overload import Lines, open_lines
from serving.settings import Settings


def make_cache(
    registry: CollectorRegistry | None = None, redis: str | None = None, **settings: Any
) -> AnswerCache:
    """Return a cache over ``redis``, or in this process alone."""
    chosen = Settings(redis_url=None if redis is None else SecretStr(redis), **settings)
    return open_cache(chosen, registry or CollectorRegistry(), open_log("error", io.StringIO()))


def no_monitor() -> Monitor:
    """Return a log of predictions that nothing is written to."""
    metrics = MonitorMetrics(CollectorRegistry())
    return Monitor(0.0, None, False, metrics, open_log("error", io.StringIO()))


def make_lines(**settings: Any) -> Lines:
    """Return the lines of a worker."""
    return open_lines(Settings(**settings), Metrics())
