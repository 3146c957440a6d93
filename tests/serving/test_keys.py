"""The command that makes, lists and revokes keys."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving.key_file import read_keys
from serving.keys import main
from tests.serving.guarded import make_key


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAREERLENS_KEYS_FILE", str(tmp_path / "keys.json"))
    return tmp_path / "keys.json"


def run(patch: pytest.MonkeyPatch, *words: str) -> None:
    patch.setattr(sys, "argv", ["keys", *words])
    main()


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        monkeypatch,
        "create",
        "job board",
        "--scopes",
        "moderate,resume",
        "jobs",
        "--expires",
        "90d",
    )
    token = capsys.readouterr().out.strip()
    _, key_id, secret = token.split("_")
    [key] = read_keys(path)
    assert (key.id, key.name, key.scopes) == (key_id, "job board", {"moderate", "resume", "jobs"})
    assert key.expires is not None
    assert timedelta(days=89) < key.expires - datetime.now(UTC) <= timedelta(days=90)

    run(monkeypatch, "list")
    listed = capsys.readouterr().out
    assert f"{key_id}  job board  moderate,resume,jobs" in listed
    assert "active" in listed
    assert secret not in listed
    assert key.sha256 not in listed

    run(monkeypatch, "revoke", key_id)
    run(monkeypatch, "list")
    assert "revoked" in capsys.readouterr().out


def test_a_key_with_a_day_is_good_until_that_day_is_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch, "create", "a", "--scopes", "admin", "--expires", "2999-12-31")
    assert read_keys(path)[0].expires == datetime(3000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "a", "--scopes", "everything"), "moderate, resume, jobs, feedback, admin"),
        (("create", "a", "--scopes", "admin", "--expires", "2001-01-01"), "is in the past"),
        (("create", "a", "--scopes", "admin", "--expires", "0d"), "is in the past"),
        (("create", "a", "--scopes", "admin", "--expires", "soon"), "such as 90d"),
        (("create", "a\nb", "--scopes", "admin"), "a name has up to 64"),
        (("create", "x" * 65, "--scopes", "admin"), "a name has up to 64"),
        (("revoke", "0" * 12), "has no key of this id"),
    ],
)
def test_a_wrong_word_is_refused_with_a_sentence_and_changes_nothing(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    make_key(path)
    before = path.read_bytes()
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *words)
    assert ended.value.code != 0
    assert said in f"{ended.value.code}{capsys.readouterr().err}"
    assert path.read_bytes() == before


def test_without_a_file_the_command_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAREERLENS_KEYS_FILE", raising=False)
    with pytest.raises(SystemExit, match="set CAREERLENS_KEYS_FILE"):
        run(monkeypatch, "list")


def test_keys_made_at_the_same_time_are_all_kept(path: Path) -> None:
    with ThreadPoolExecutor(8) as makers:
        tokens = list(makers.map(lambda number: make_key(path, name=f"key {number}"), range(40)))
    assert {key.id for key in read_keys(path)} == {token.split("_")[1] for token in tokens}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_who_may_read_the_file_stays_as_it_is(path: Path, mode: int) -> None:
    make_key(path)
    path.chmod(mode)
    make_key(path)
    assert path.stat().st_mode & 0o777 == mode
    assert len(read_keys(path)) == 2
