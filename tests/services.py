"""Services that tests ask for: used where they are, left out with a reason, and never in CI."""

import os

import psycopg
import pytest
import redis
from psycopg.conninfo import make_conninfo

#: Where tests may make databases of their own; the user must be allowed to.
POSTGRES = "CAREERLENS_TEST_POSTGRES"
_DEFAULT_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"

#: Where tests may keep keys under a prefix of their own.
REDIS = "CAREERLENS_TEST_REDIS"
_DEFAULT_REDIS = "redis://127.0.0.1:6379/0"


def require_postgres() -> str:
    """Return the address of a PostgreSQL that answers; without one the test is skipped, or fails.

    In CI a service that is away must not make the tests pass.
    """
    address = os.environ.get(POSTGRES) or _DEFAULT_POSTGRES
    try:
        psycopg.connect(make_conninfo(address, connect_timeout=5)).close()
    except psycopg.OperationalError as error:
        reason = str(error).partition("\n")[0]
        _leave_out(f"no PostgreSQL answers at {address} ({reason}): set {POSTGRES}")
    return address


def require_redis() -> str:
    """Return the address of a Redis that answers; without one the test is skipped, or fails."""
    address = os.environ.get(REDIS) or _DEFAULT_REDIS
    try:
        with redis.Redis.from_url(address, socket_connect_timeout=5) as client:
            client.ping()
    except redis.RedisError as error:
        _leave_out(f"no Redis answers at {address} ({error}): set {REDIS}")
    return address


def _leave_out(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
