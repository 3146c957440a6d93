"""Whose signatures count, as the environment says."""

import os
from pathlib import Path

import pytest

from models.errors import SignatureError
from models.signing import fingerprint, generate_keys, sign_release
from models.trust import Trust, read_trust


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public one."""
    keys = tmp_path / "ours.key", tmp_path / "ours.pub"
    generate_keys(*keys)
    return keys


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """An unsigned release."""
    (tmp_path / "release" / "bundle").mkdir(parents=True)
    (tmp_path / "release" / "bundle" / "manifest.json").write_text("{}")
    return tmp_path / "release"


def test_without_keys_nothing_is_checked(release: Path) -> None:
    assert read_trust({}) == read_trust({"CAREERLENS_ENV": ""}) == Trust(False, ())
    assert read_trust({}).check(release) is None


def test_production_without_keys_is_refused_with_the_remedy() -> None:
    with pytest.raises(SignatureError, match=r"set CAREERLENS_TRUSTED_KEYS.*make keys"):
        read_trust({"CAREERLENS_ENV": "production", "CAREERLENS_TRUSTED_KEYS": os.pathsep})


def test_a_word_that_is_neither_environment_is_not_taken_for_development() -> None:
    with pytest.raises(SignatureError, match="'prod': it is development or production"):
        read_trust({"CAREERLENS_ENV": "prod"})


def test_one_of_several_keys_is_enough(
    pair: tuple[Path, Path], release: Path, tmp_path: Path
) -> None:
    generate_keys(tmp_path / "new.key", tmp_path / "new.pub")
    listed = os.pathsep.join([str(tmp_path / "new.pub"), str(pair[1])])
    trust = read_trust({"CAREERLENS_ENV": "production", "CAREERLENS_TRUSTED_KEYS": listed})
    sign_release(release, pair[0])
    assert trust.check(release) == fingerprint(pair[1])


def test_keys_that_are_named_count_outside_of_production_too(
    pair: tuple[Path, Path], release: Path
) -> None:
    trust = read_trust({"CAREERLENS_TRUSTED_KEYS": str(pair[1])})
    assert not trust.required
    with pytest.raises(SignatureError, match="is not signed"):
        trust.check(release)


def test_a_key_that_is_not_there_or_private_is_refused_at_once(pair: tuple[Path, Path]) -> None:
    with pytest.raises(SignatureError, match=r"CAREERLENS_TRUSTED_KEYS: .* no readable key"):
        read_trust({"CAREERLENS_TRUSTED_KEYS": str(pair[1]) + ".old"})
    with pytest.raises(SignatureError, match="is a private key"):
        read_trust({"CAREERLENS_TRUSTED_KEYS": str(pair[0])})
