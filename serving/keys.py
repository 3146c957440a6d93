"""Make, list and revoke the API keys of the service; a running one follows within two seconds.

The keys are in the file that CAREERLENS_KEYS_FILE names.
"""

import argparse
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast, get_args

from pydantic import ValidationError

from serving.callers import Access
from serving.key_file import Key, KeyFileError, change_keys, make_key, read_keys
from serving.setting_error import SettingsError
from serving.settings import read_settings

_SCOPES = get_args(Access)


def create(path: Path, name: str, scopes: list[Access], expires: datetime | None) -> str:
    """Add a key to the file, and return it as its owner sends it: it is nowhere else.

    Raises
    ------
    KeyFileError
    """
    try:
        key, token = make_key(name, scopes, expires)
    except ValidationError:
        raise KeyFileError(
            "a name has up to 64 letters, digits, spaces and . _ @ -, and begins with one of the "
            "first two"
        ) from None
    change_keys(path, lambda keys: (*keys, key))
    return token


def revoke(path: Path, key_id: str) -> Key:
    """Close the key for ever, and return it; a second time changes nothing.

    Raises
    ------
    KeyFileError
    """
    revoked: list[Key] = []

    def change(keys: tuple[Key, ...]) -> tuple[Key, ...]:
        now = datetime.now(UTC).replace(microsecond=0)
        changed = tuple(
            key.model_copy(update={"revoked": key.revoked or now}) if key.id == key_id else key
            for key in keys
        )
        revoked.extend(key for key in changed if key.id == key_id)
        if not revoked:
            raise KeyFileError(f"{path} has no key of this id; `list` shows all")
        return changed

    change_keys(path, change)
    return revoked[0]


def table(keys: tuple[Key, ...], now: datetime) -> str:
    """Return the keys as a table, without what opens anything."""
    rows = [("id", "name", "scopes", "created", "expires", "state")]
    rows += [
        (
            key.id,
            key.name,
            ",".join(scope for scope in _SCOPES if scope in key.scopes),
            f"{key.created:%Y-%m-%d}",
            "never" if key.expires is None else f"{key.expires:%Y-%m-%d %H:%M}",
            key.state(now),
        )
        for key in keys
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _expiry(word: str) -> datetime:
    """Return when a key ends: some days from now, or with a day (UTC)."""
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        if word.endswith("d"):
            end = now + timedelta(days=int(word.removesuffix("d")))
        else:
            midnight = datetime.combine(date.fromisoformat(word), datetime.min.time(), UTC)
            end = midnight + timedelta(days=1)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            "must be days, such as 90d, or a day, such as 2030-12-31"
        ) from None
    if end <= now:
        raise argparse.ArgumentTypeError("is in the past")
    return end


def _scopes(word: str) -> list[Access]:
    scopes = [scope for scope in word.split(",") if scope]
    if not scopes or not set(scopes) <= set(_SCOPES):
        raise argparse.ArgumentTypeError(f"must be of {', '.join(_SCOPES)}")
    return cast("list[Access]", scopes)


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving.keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("create", help="make a key, shown this once")
    making.add_argument("name", help="of who gets it, as it is shown and logged")
    making.add_argument(
        "--scopes",
        nargs="+",
        type=_scopes,
        required=True,
        metavar="SCOPE",
        help=f"what it may do: {', '.join(_SCOPES)}",
    )
    making.add_argument("--expires", type=_expiry, metavar="90d|DATE", help="default: never")
    commands.add_parser("list", help="show all keys, without what opens anything")
    closing = commands.add_parser("revoke", help="close a key for ever")
    closing.add_argument("id", help="as `list` shows it")
    return parser.parse_args()


def main() -> None:
    """Run the command."""
    args = _parse_args()
    try:
        path = read_settings().keys_file
        if path is None:
            sys.exit("set CAREERLENS_KEYS_FILE to the file of the keys, such as keys.json")
        if args.command == "create":
            scopes = [scope for given in args.scopes for scope in given]
            token = create(path, args.name, scopes, args.expires)
            print("This is the key; it is kept nowhere and cannot be shown again:", file=sys.stderr)
            print(token)
        elif args.command == "revoke":
            key = revoke(path, args.id)
            print(f"{key.id} ({key.name}) is revoked")
        else:
            print(table(read_keys(path), datetime.now(UTC)))
    except (KeyFileError, SettingsError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
