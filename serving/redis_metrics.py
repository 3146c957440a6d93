"""What is counted of Redis, by what it is used for."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge


class RedisMetrics:
    """What is counted of one use of Redis; all label values are of fixed sets.

    Parameters
    ----------
    registry : CollectorRegistry
    use : {"cache", "limits"}
    """

    def __init__(self, registry: CollectorRegistry, use: Literal["cache", "limits"]) -> None:
        self._failures = Counter(
            f"careerlens_{use}_redis_failures",
            "Calls of Redis that failed or took too long, and damaged answers.",
            ["reason"],
            registry=registry,
        )
        self._away = Gauge(
            f"careerlens_{use}_redis_away",
            "Workers that leave Redis alone, for a while after it failed.",
            multiprocess_mode="livesum",
            registry=registry,
        )

    def count_failure(self, reason: str) -> None:
        """Count one failure: ``error``, ``slow``, ``refused`` or ``damaged``."""
        self._failures.labels(reason).inc()

    def show_away(self, is_away: bool) -> None:
        """Show whether this worker leaves Redis alone."""
        self._away.set(is_away)
