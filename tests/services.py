"""Services that tests ask for: used where they are, left out with a reason, and never in CI."""

import os

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

#: Where tests may make databases of their own; the user must be allowed to.
POSTGRES = "CAREERLENS_TEST_POSTGRES"
_DEFAULT_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"


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


def _leave_out(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
