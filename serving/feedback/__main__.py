"""Review, export and look after what moderators decided; CAREERLENS_DATABASE_URL says where."""

import argparse
import getpass
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from serving.feedback import schema, store
from serving.feedback.database import Database
from serving.feedback.decisions import KINDS, STATUSES, Kind
from serving.feedback.errors import FeedbackError
from serving.feedback.export import export
from serving.feedback.listing import show_entries, show_stats
from serving.setting_error import SettingsError
from serving.settings import Settings, read_settings

#: Where the pipeline looks for it.
EXPORTED = Path("data/feedback/feedback.jsonl")

#: A person waits, and may have asked for much.
_SECONDS = 60.0

# Messages that get new keys in one transaction, after another release of the normaliser, and
# seconds between two of them, for a service on the same SQLite file.
_KEYS_AT_ONCE = 200
_KEYS_PAUSE = 0.1

#: What review shows unless told otherwise: what waits for somebody.
_OPEN = ("pending", "disputed")


def review(connection: Connection, args: argparse.Namespace) -> str:
    """Decide on the messages named, as an admin, or list what waits."""
    if args.approve or args.reject:
        return "\n".join(
            _rule(connection, beginning, args, is_approved=is_approved)
            for is_approved, named in ((True, args.approve), (False, args.reject))
            for beginning in named
        )
    since = datetime.now(UTC) - timedelta(days=args.days) if args.days is not None else None
    chosen = [
        entry
        for entry in store.entries(connection)
        if entry.standing.status in (args.status or _OPEN)
        and args.kind in (None, entry.kind)
        and (args.author is None or any(each.author == args.author for each in entry.decisions))
        and (since is None or entry.decisions[-1].decided_at >= since)
    ]
    # What waits longest first; what is settled was sorted by text, which says nothing to a person.
    chosen.sort(key=lambda entry: entry.decisions[0].decided_at)
    return show_entries(chosen[: args.limit], len(chosen), whole=args.whole)


def _rule(
    connection: Connection, beginning: str, args: argparse.Namespace, *, is_approved: bool
) -> str:
    message = store.find(connection, beginning)
    entries = list(store.entries(connection, message))
    kinds: list[Kind] = [entry.kind for entry in entries if args.kind in (None, entry.kind)]
    if len(kinds) != 1:
        raise FeedbackError(f"message {beginning}: say which kind, --kind {' or '.join(KINDS)}")
    [entry] = [entry for entry in entries if entry.kind == kinds[0]]
    label = None
    if is_approved:
        labels = {decision.label for decision in entry.decisions} - {None}
        if args.label is not None:
            label = args.label == "yes"
        elif len(labels) == 1:
            [label] = labels
        else:
            raise FeedbackError(
                f"message {beginning}: moderators disagree, so say which is right, --label yes or "
                f"--label no ({entry.kind} or not)"
            )
    author = f"shell:{getpass.getuser()}"
    standing = store.rule(connection, message, entry.kind, label, author, datetime.now(UTC))
    said = "" if standing.label is None else f": {'' if standing.label else 'not '}{entry.kind}"
    return f"{message[:12]} {entry.kind} {standing.status}{said}"


def write(connection: Connection, args: argparse.Namespace) -> str:
    """Write what is approved for the pipeline."""
    done = export(store.entries(connection), args.output)
    said = f"{args.output}: {done.rows} rows, sha256 {done.sha256}"
    # DVC's queue copies what git or DVC versions, and would learn without the rest.
    hint = f"`dvc add {EXPORTED}` versions it by its hash, `dvc repro` learns from it"
    return f"{said}\n{hint}" if args.output == EXPORTED else said


def stats(connection: Connection, _: argparse.Namespace) -> str:
    """Count decisions by kind and status, and corrections by model."""
    return show_stats(store.entries(connection))


def forget(connection: Connection, args: argparse.Namespace) -> str:
    """Delete messages with all that was decided of them; - reads a text from standard input."""
    if args.message == "-":
        deleted = store.forget(connection, text=sys.stdin.read().removesuffix("\n"))
    else:
        deleted = store.forget(connection, store.find(connection, args.message))
    return f"{deleted} deleted; export anew, and see docs/operations.md for what was exported"


def purge(connection: Connection, args: argparse.Namespace) -> str:
    """Delete decisions older than CAREERLENS_FEEDBACK_DAYS; the service does so every day."""
    now = datetime.now(UTC)
    deleted = store.purge(connection, now - timedelta(days=args.days), now)
    return f"{deleted} messages older than {args.days} days deleted"


def migrate(connection: Connection, args: argparse.Namespace) -> str:
    """Bring the tables to this release, or to another revision."""
    before = schema.revision(connection)
    schema.migrate(connection, args.to)
    return f"tables at {schema.revision(connection) or 'base'}, before at {before or 'base'}"


def _renew_keys(connection: Connection) -> int:
    return store.renew_keys(connection, _KEYS_AT_ONCE)


def read_arguments(settings: Settings, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command and what it was told."""
    parser = argparse.ArgumentParser(prog="python -m serving.feedback", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, do: object) -> argparse.ArgumentParser:
        sentence = (do.__doc__ or "").partition("\n")[0]
        added = commands.add_parser(name, help=sentence, description=sentence)
        added.set_defaults(do=do)
        return added

    listed = command("review", review)
    listed.add_argument("--approve", nargs="+", default=[], metavar="ID", help="count these")
    listed.add_argument("--reject", nargs="+", default=[], metavar="ID", help="never count these")
    listed.add_argument(
        "--label", choices=("yes", "no"), help="which is right, where they disagree"
    )
    listed.add_argument("--kind", choices=KINDS)
    listed.add_argument("--status", nargs="+", choices=STATUSES, help="by default what waits")
    listed.add_argument("--author", help="on which this moderator decided")
    listed.add_argument("--days", type=float, help="decided on within so many days")
    listed.add_argument("--limit", type=int, default=50, help="so many at most (default 50)")
    listed.add_argument("--whole", action="store_true", help="whole texts and notes")
    exported = command("export", write)
    exported.add_argument("--output", type=Path, default=EXPORTED, help=f"(default {EXPORTED})")
    command("stats", stats)
    command("delete", forget).add_argument("message", metavar="ID or -")
    command("purge", purge).add_argument("--days", type=int, default=settings.feedback_days)
    command("migrate", migrate).add_argument("--to", default="head", metavar="REVISION")
    return parser.parse_args(argv)


def main() -> None:
    """Run the command."""
    try:
        settings = read_settings()
        args = read_arguments(settings)
        database = Database(settings.database_url.get_secret_value(), _SECONDS)
        if args.do is migrate:
            print(database.run_bare(lambda connection: migrate(connection, args)))
            return
        while database.run(_renew_keys) == _KEYS_AT_ONCE:  # what is one message is listed as one
            time.sleep(_KEYS_PAUSE)
        print(database.run(lambda connection: args.do(connection, args)))
    except (FeedbackError, SettingsError) as error:
        sys.exit(f"feedback: {error}")


if __name__ == "__main__":
    main()
