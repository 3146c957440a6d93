"""`python -m serving.feedback` as it is typed."""

import hashlib
import io
import json
import runpy
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.feedback import recording
from serving.feedback.database import Database
from serving.feedback.decisions import Kind
from serving.feedback.submission import Submission
from tests.serving.feedback_case import SECONDS, sqlite_address

Run = Callable[..., str]

SPAM: dict[Kind, bool] = {"spam": True}
TOXIC: dict[Kind, bool] = {"toxicity": True}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(sqlite_address(tmp_path), SECONDS)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command and return what it printed."""
    monkeypatch.setenv("CAREERLENS_DATABASE_URL", sqlite_address(tmp_path))

    def run_command(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["feedback", *words])
        runpy.run_module("serving.feedback", run_name="__main__")
        return capsys.readouterr().out

    return run_command


def take(database: Database, text: str, *authors: str, days_ago: float = 0.0, **said: Any) -> str:
    when = datetime.now(UTC) - timedelta(days=days_ago)
    said = {"is_admin": False, "labels": SPAM, **said}
    given = [Submission(text=text, author=author, **said) for author in authors]
    *_, last = database.run(lambda connection: recording.record(connection, given, when))
    return last.message_id


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def test_review_shows_what_waits_and_who_said_what(database: Database, run: Run) -> None:
    digest = "ab" * 32
    first = take(database, "buy followers", "ann", digests={"spam": digest}, note="seen twice")
    take(database, "is it spam", "ann")
    take(database, "is it spam", "bob", labels={"spam": False})
    take(database, "agreed upon", "ann", "bob")
    shown = run("review")
    assert f"{first[:12]}  spam      pending\n    buy followers\n" in shown
    assert f"ann: spam [model {digest[:12]}] “seen twice”" in shown
    assert "spam      disputed\n    is it spam\n" in shown
    assert "bob: not spam" in shown
    assert "agreed upon" not in shown
    assert "agreed upon" in run("review", "--status", "approved")
    assert "buy" not in run("review", "--author", "bob")
    assert run("review", "--kind", "toxicity") == "nothing waits\n"
    assert "and 1 more: --limit" in run("review", "--limit", "1")


def test_review_shows_the_last_days_alone_if_asked(database: Database, run: Run) -> None:
    take(database, "of last week", "ann", days_ago=7)
    take(database, "of today", "ann")
    shown = run("review", "--days", "1")
    assert "of today" in shown
    assert "last week" not in shown


def test_a_text_cannot_steer_the_terminal_and_is_cut_unless_it_shall_be_whole(
    database: Database, run: Run
) -> None:
    take(database, "\x1b[2J\nred" + "x" * 200, "ann")
    shown = run("review")
    assert r"\x1b[2J\nred" in shown
    assert "\x1b" not in shown
    assert "x" * 100 not in shown
    assert "x" * 200 in run("review", "--whole")


def test_an_admin_approves_and_rejects_from_the_shell(database: Database, run: Run) -> None:
    good, bad = take(database, "buy followers", "ann"), take(database, "good morning", "ann")
    assert run("review", "--approve", good[:8]) == f"{good[:12]} spam approved: spam\n"
    assert run("review", "--reject", bad) == f"{bad[:12]} spam rejected\n"
    assert run("review") == "nothing waits\n"
    assert "(admin): reject" in run("review", "--status", "rejected")


def test_where_moderators_disagree_an_admin_says_which_is_right(
    database: Database, run: Run
) -> None:
    take(database, "is it spam", "ann")
    message = take(database, "is it spam", "bob", labels={"spam": False})
    with pytest.raises(SystemExit, match=r"moderators disagree.*--label yes or --label no"):
        run("review", "--approve", message)
    said = run("review", "--approve", message, "--label", "no")
    assert said == f"{message[:12]} spam approved: not spam\n"


def test_of_two_kinds_one_must_be_named(database: Database, run: Run) -> None:
    message = take(database, "you fool, buy followers", "ann", labels={**SPAM, **TOXIC})
    with pytest.raises(SystemExit, match="--kind spam or toxicity"):
        run("review", "--approve", message)
    said = run("review", "--approve", message, "--kind", "toxicity")
    assert said == f"{message[:12]} toxicity approved: toxicity\n"
    with pytest.raises(SystemExit, match="no message has an id that begins with ffffff"):
        run("review", "--approve", "ffffff")


def test_export_writes_what_is_approved_in_one_order_without_names(
    database: Database, run: Run, tmp_path: Path
) -> None:
    said = {"insult": True, "threat": False}
    toxic = take(database, "du Trottel\u2028!", "ann", "bob", labels=TOXIC, categories=said)
    spam = take(database, "buy followers", "ann", "bob")
    take(database, "waits", "ann")
    output = tmp_path / "new" / "feedback.jsonl"
    printed = run("export", "--output", str(output))
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    assert printed == f"{output}: 2 rows, sha256 {digest}\n"
    unsaid = dict.fromkeys(("insult", "threat", "obscene", "identity_attack"))
    assert lines(output) == [
        {"version": 1, "id": spam, "kind": "spam", "text": "buy followers", "label": 1} | unsaid,
        {"version": 1, "id": toxic, "kind": "toxicity", "text": "du Trottel\u2028!", "label": 1}
        | {**unsaid, "insult": 1, "threat": 0},
    ]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert [file.name for file in output.parent.iterdir()] == ["feedback.jsonl"]
    assert digest in run("export", "--output", str(output))


def test_what_was_deleted_is_not_exported_again(
    database: Database, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "feedback.jsonl"
    kept = take(database, "kept", "ann", "bob")
    gone = take(database, "gone", "ann", "bob")
    take(database, "Gone, said aloud", "ann", "bob")
    assert run("delete", gone[:12]).startswith("1 deleted")
    monkeypatch.setattr("sys.stdin", io.StringIO("gone, SAID aloud\n"))
    assert run("delete", "-").startswith("1 deleted")
    run("export", "--output", str(output))
    assert [row["id"] for row in lines(output)] == [kept]


def test_what_is_old_is_purged(database: Database, run: Run) -> None:
    take(database, "old", "ann", days_ago=400)
    take(database, "younger", "ann", days_ago=300)
    assert run("purge") == "1 messages older than 365 days deleted\n"
    assert run("purge", "--days", "200") == "1 messages older than 200 days deleted\n"


def test_stats_count_by_status_and_by_the_model_that_erred(database: Database, run: Run) -> None:
    digest = "cd" * 32
    take(database, "one", "ann", "bob", digests={"spam": digest})
    take(database, "two", "ann")
    shown = run("stats").splitlines()
    assert shown[1].split() == ["spam", "1", "0", "1", "0"]
    assert shown[-1].split() == ["spam", digest[:12], "2"]


def test_migrate_goes_up_and_down_and_says_so(run: Run) -> None:
    assert run("migrate") == "tables at f0002, before at base\n"
    assert run("migrate", "--to", "base") == "tables at base, before at f0002\n"
    with pytest.raises(SystemExit, match="feedback: there is no revision f7"):
        run("migrate", "--to", "f7")


def test_a_database_that_is_away_ends_the_command_with_a_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql://nobody:hunter2@127.0.0.1:1/none"
    monkeypatch.setenv("CAREERLENS_DATABASE_URL", address)
    with pytest.raises(SystemExit, match="CAREERLENS_DATABASE_URL") as ended:
        run("stats")
    assert "hunter2" not in str(ended.value)
