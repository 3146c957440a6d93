"""The tables of the feedback database: to this release, back, and by several at once."""

import stat
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, inspect, make_url, select, text

from models.text import NORMALISER_VERSION
from serving.feedback.database import Database
from serving.feedback.errors import DatabaseError, SchemaError
from serving.feedback.schema import VERSION_TABLE, bring_up, differences, migrate, revision
from serving.feedback.store import entries, renew_keys, text_key
from serving.feedback.tables import messages
from tests.postgres import own_database
from tests.serving.feedback_case import (
    SECONDS,
    address,
    database,
    driver_address,
    sqlite_address,
)

__all__ = ["address", "database"]


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def test_migrations_make_the_tables_that_the_code_declares(database: Database) -> None:
    assert database.run(differences) == []


def test_a_column_that_no_migration_made_is_told(database: Database) -> None:
    def add(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE feedback_messages ADD COLUMN more INTEGER"))

    database.run(add)
    assert len(database.run(differences)) == 1


def test_down_drops_everything_and_up_makes_it_again(database: Database) -> None:
    made = database.run(tables)
    assert {"feedback_messages", "feedback_decisions"} <= made
    database.run_bare(lambda connection: migrate(connection, "base"))
    assert database.run_bare(tables) == {VERSION_TABLE}
    assert database.run_bare(revision) is None
    database.run_bare(migrate)
    assert database.run_bare(tables) == made


def test_workers_that_start_together_migrate_once(address: str, database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(
            lambda _: Database(address, SECONDS).run(lambda connection: [*entries(connection)]),
            range(8),
        )
        assert list(found) == [[]] * 8
    assert database.run(differences) == []


def test_tables_of_a_newer_release_are_left_alone(database: Database) -> None:
    def label(revision: str) -> None:
        update = text(f"UPDATE {VERSION_TABLE} SET version_num = '{revision}'")
        database.run_bare(lambda connection: connection.execute(update))

    database.run(entries)
    label("f9999")
    try:
        with pytest.raises(SchemaError, match=r"newer release \(revision f9999\): update Careerl"):
            database.run(entries)
        with pytest.raises(SchemaError, match="newer release"):
            database.run_bare(migrate)
    finally:
        label("f0002")


def test_who_may_not_change_the_tables_is_told_the_command() -> None:
    role = f"careerlens_{uuid.uuid4().hex}"
    with own_database() as address, psycopg.connect(address, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        try:
            owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            theirs = make_url(driver_address(address)).set(username=role)
            weak = Database(theirs.render_as_string(hide_password=False), SECONDS)
            with pytest.raises(SchemaError, match=r"run `python -m serving.feedback migrate`"):
                weak.run(entries)
        finally:
            owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_messages_of_the_first_tables_are_known_by_their_new_keys(database: Database) -> None:
    def store_as_before(connection: Connection) -> None:
        migrate(connection, "f0001")
        row = "INSERT INTO feedback_messages (id, text_key, text) VALUES ('m1', 'k1', 'Hello')"
        connection.execute(text(row))

    database.run_bare(store_as_before)
    assert database.run(lambda connection: renew_keys(connection, 10)) == 1
    found = database.run(lambda connection: connection.execute(select(messages)).all())
    assert found == [("m1", text_key("Hello"), "Hello", NORMALISER_VERSION)]
    database.run_bare(lambda connection: migrate(connection, "f0001"))
    database.run_bare(migrate)
    assert database.run(differences) == []


def test_an_unknown_revision_is_refused_with_those_there_are(database: Database) -> None:
    with pytest.raises(SchemaError, match="no revision f0: there are base, f0001, f0002"):
        database.run_bare(lambda connection: migrate(connection, "f0"))


def test_tables_of_others_are_neither_compared_nor_dropped(database: Database) -> None:
    def make(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))

    database.run_bare(make)
    try:
        database.run(bring_up)
        assert database.run(differences) == []
        database.run_bare(lambda connection: migrate(connection, "base"))
        assert "alembic_version" in database.run_bare(tables)
    finally:
        database.run_bare(lambda connection: connection.execute(text("DROP TABLE alembic_version")))


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    Database(sqlite_address(tmp_path / "new"), SECONDS).run(entries)
    assert stat.S_IMODE((tmp_path / "new" / "feedback.db").stat().st_mode) == 0o600


def test_a_file_that_is_no_database_is_told_by_the_name_of_the_setting(tmp_path: Path) -> None:
    (tmp_path / "feedback.db").write_text("not a database, but long enough to be looked at")
    with pytest.raises(DatabaseError, match="CAREERLENS_DATABASE_URL"):
        Database(sqlite_address(tmp_path), SECONDS).run(entries)
