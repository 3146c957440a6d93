"""Only what a trusted key signed, byte for byte, passes."""

import base64
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from models.errors import SignatureError
from models.signing import (
    MAX_BYTES,
    SIGNATURE_FILE,
    fingerprint,
    generate_keys,
    read_public_key,
    sign_release,
    verify_release,
)


class Pair(NamedTuple):
    private: Path
    public: Path


def make_pair(folder: Path) -> Pair:
    pair = Pair(folder / "signing.key", folder / "signing.pub")
    generate_keys(*pair)
    return pair


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("others"))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: Pair) -> Path:
    """A signed release; treat it as read-only."""
    release = tmp_path_factory.mktemp("release")
    (release / "bundle").mkdir()
    (release / "bundle" / "manifest.json").write_text("{}\n")
    (release / "bundle" / "model.skops").write_bytes(bytes(range(256)))
    (release / "release.json").write_text('{"version": 3}\n')
    sign_release(release, keys.private)
    return release


@pytest.fixture
def release(signed: Path, tmp_path: Path) -> Path:
    """A copy of it, under another path, to be spoilt."""
    return Path(shutil.copytree(signed, tmp_path / "copy"))


def verify(release: Path, *trusted: Pair) -> str:
    return verify_release(release, [read_public_key(pair.public) for pair in trusted])


def test_a_signed_release_is_known_by_its_signer(release: Path, keys: Pair) -> None:
    assert verify(release, keys) == fingerprint(keys.public) == fingerprint(keys.private)


def test_what_comes_to_a_release_later_is_not_signed(release: Path, keys: Pair) -> None:
    (release / "promotions.jsonl").write_text("{}\n")
    (release / "commit.json").write_text("{}\n")
    assert verify(release, keys) == fingerprint(keys.public)


def test_a_key_counts_as_it_was_read_whatever_becomes_of_its_file(
    release: Path, keys: Pair, tmp_path: Path
) -> None:
    file = tmp_path / "signing.pub"
    file.write_bytes(keys.public.read_bytes())
    key = read_public_key(file)
    file.unlink()
    assert verify_release(release, [key]) == fingerprint(keys.public)


def test_any_of_several_trusted_keys_is_enough(release: Path, keys: Pair, others: Pair) -> None:
    assert verify(release, others, keys) == fingerprint(keys.public)


def test_the_private_key_is_for_its_owner_alone(keys: Pair) -> None:
    assert stat.S_IMODE(keys.private.stat().st_mode) == 0o600
    assert b"PRIVATE" not in keys.public.read_bytes()


def test_a_key_is_never_overwritten(keys: Pair) -> None:
    before = keys.private.read_bytes()
    with pytest.raises(SignatureError, match="there already"):
        generate_keys(keys.private, keys.public.with_name("new.pub"))
    assert keys.private.read_bytes() == before


def change_a_file(release: Path) -> None:
    (release / "bundle" / "model.skops").write_bytes(b"other")


def add_a_file(release: Path) -> None:
    (release / "bundle" / "more.json").write_text("{}")


def add_a_git_file(release: Path) -> None:
    (release / "bundle" / ".gitattributes").write_text("* -text\n")


def rename_the_version(release: Path) -> None:
    (release / "release.json").write_text('{"version": 4}\n')


def add_a_file_beside(release: Path) -> None:
    (release / "LICENSE").write_text("do what you like\n")


def remove_a_file(release: Path) -> None:
    (release / "bundle" / "model.skops").unlink()


def link_a_file(release: Path) -> None:
    model = release / "bundle" / "model.skops"
    model.rename(release / "elsewhere")
    model.symlink_to(release / "elsewhere")


def remove_the_signature(release: Path) -> None:
    (release / SIGNATURE_FILE).unlink()


def cut_the_signature(release: Path) -> None:
    path = release / SIGNATURE_FILE
    path.write_bytes(path.read_bytes()[:100])


def sign_other_files(release: Path) -> None:
    path = release / SIGNATURE_FILE
    content = json.loads(path.read_text())
    payload = base64.b64decode(content["dsseEnvelope"]["payload"])
    changed = payload.replace(b"model.skops", b"other.skops")
    content["dsseEnvelope"]["payload"] = base64.b64encode(changed).decode()
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (change_a_file, "bundle/model.skops was changed$"),
        (add_a_file, "not signed is bundle/more.json$"),
        (add_a_git_file, ".gitattributes"),
        (rename_the_version, "release.json was changed$"),
        (add_a_file_beside, "LICENSE"),
        (remove_a_file, "missing is bundle/model.skops$"),
        (link_a_file, "model.skops"),
        (remove_the_signature, "not signed"),
        (cut_the_signature, "no signature"),
        (sign_other_files, "changed after it was made"),
    ],
)
def test_what_is_not_what_was_signed_is_refused(
    release: Path, keys: Pair, spoil: Callable[[Path], None], reason: str
) -> None:
    spoil(release)
    with pytest.raises(SignatureError, match=reason):
        verify(release, keys)


def test_a_key_that_is_not_trusted_is_refused_by_its_fingerprint(
    release: Path, keys: Pair, others: Pair
) -> None:
    with pytest.raises(SignatureError, match=fingerprint(keys.public)[:12]):
        verify(release, others)


def test_a_signature_that_only_names_a_trusted_key_is_refused(
    release: Path, keys: Pair, others: Pair
) -> None:
    path = release / SIGNATURE_FILE
    path.unlink()
    sign_release(release, others.private)
    text = path.read_text().replace(fingerprint(others.public), fingerprint(keys.public))
    path.write_text(text)
    with pytest.raises(SignatureError, match="did not make it"):
        verify(release, keys)


def test_a_signature_that_is_too_large_is_not_read(release: Path, keys: Pair) -> None:
    with (release / SIGNATURE_FILE).open("r+b") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(SignatureError, match="it is no signature"):
        verify(release, keys)


def test_without_trusted_keys_nothing_passes(release: Path) -> None:
    with pytest.raises(SignatureError, match="CAREERLENS_TRUSTED_KEYS"):
        verify(release)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n", b"\xff\xfe"])
def test_a_file_that_is_no_key_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    key = tmp_path / "broken.pub"
    key.write_bytes(content)
    with pytest.raises(SignatureError, match=r"broken\.pub"):
        read_public_key(key)
