"""Feedback databases for tests: a file, and a PostgreSQL of our own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from serving.feedback.database import Database
from serving.feedback.schema import migrate
from tests.postgres import own_database

#: Long enough for a busy machine; what shall fail in time says so itself.
SECONDS = 20.0


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a database that holds nothing yet, once for each sort."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('feedback') / 'feedback.db'}"
        return
    with own_database() as made:
        yield driver_address(made)


@pytest.fixture
def database(address: str) -> Database:
    """That database, with no tables."""
    found = Database(address, SECONDS)
    found.run_bare(lambda connection: migrate(connection, "base"))
    return found


def driver_address(postgres: str, port: int | None = None) -> str:
    """Return an address as the settings make it of one of PostgreSQL, at another port if given."""
    url = make_url(postgres).set(drivername="postgresql+psycopg")
    return (url if port is None else url.set(port=port)).render_as_string(hide_password=False)


def sqlite_address(folder: Path) -> str:
    return f"sqlite:///{folder / 'feedback.db'}"
