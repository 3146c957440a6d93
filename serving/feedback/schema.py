"""Which tables a database has, and the way to those of this release and back."""

import functools
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, String, Table, select
from sqlalchemy.exc import ProgrammingError

from serving.feedback.errors import SchemaError
from serving.feedback.tables import metadata

#: Where a database says how far it is; not Alembic's default, which MLflow uses.
VERSION_TABLE = "feedback_version"

# Of the lock under which one worker migrates and the others wait; any number nobody else uses.
_LOCK = 7_241_983_650

# What Alembic calls a database without any of the tables.
_BASE = "base"

# Alembic's table, of one row.
_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32)))

_FOLDER = Path(__file__).with_name("migrations")


def bring_up(connection: Connection) -> None:
    """Bring the tables up to this release; the common case is that they are.

    Raises
    ------
    SchemaError
        If they are of a newer release, or may not be changed by this user of the database.
    """
    if revision(connection) == _revisions()[0]:
        return
    try:
        migrate(connection)
    except ProgrammingError:
        refused = SchemaError(
            "the database's user may not change its tables: run `python -m serving.feedback "
            "migrate` with CAREERLENS_DATABASE_URL of one who may"
        )
    else:
        return
    raise refused


def migrate(connection: Connection, to: str = "head") -> None:
    """Bring the tables to a revision, forwards or backwards; ``base`` has none of them.

    Workers that start together do it once: the others wait here, and find it done.

    Raises
    ------
    SchemaError
        If they are of a newer release, or there is no such revision.
    """
    if connection.dialect.name == "postgresql":  # of SQLite's transactions there is one at a time
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    known = _revisions()
    here = revision(connection) or _BASE
    target = known[0] if to == "head" else to
    if here not in known:
        raise SchemaError(
            f"the database has tables of a newer release (revision {here}): update Careerlens, or "
            "go back with the newer one's `python -m serving.feedback migrate --to REVISION`"
        )
    if target not in known:
        raise SchemaError(f"there is no revision {to}: there are {', '.join(reversed(known))}")
    move = command.downgrade if known.index(target) > known.index(here) else command.upgrade
    move(_config(connection), target)


def revision(connection: Connection) -> str | None:
    """Return the revision of the database's tables, None where there are none.

    Alembic could tell it too, by a table and a statement that it makes anew each time.
    """
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        return None
    found: str | None = connection.scalar(select(_version.c.version_num))
    return found


def differences(connection: Connection) -> list[object]:
    """Return how the tables differ from those in ``tables``."""
    return list(compare_metadata(_context(connection), metadata))


def _context(connection: Connection) -> MigrationContext:
    options = {
        "version_table": VERSION_TABLE,
        "compare_type": True,
        # Others may have tables in the same database.
        "include_name": lambda name, kind, _: kind != "table" or name.startswith("feedback_"),
    }
    return MigrationContext.configure(connection, opts=options)


@functools.cache
def _revisions() -> list[str]:
    """Return the revisions that this release knows, newest first."""
    scripts = ScriptDirectory.from_config(_config())
    return [*(script.revision for script in scripts.walk_revisions()), _BASE]


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
