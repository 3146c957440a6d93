"""Releases that must not be served: each is whole as far as the hub can tell, but for one thing."""

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from models.commits import COMMIT_FILE, describe, read_commit
from models.manifest import GOLDEN_FILE, MANIFEST
from models.release import RELEASE_FILE
from models.signing import sign_release
from models.skops_file import dumps, load_model
from models.text_model import MODEL_FILE
from tests.e2e.releases import describe_release
from tests.factories import make_release
from tests.models.hub_case import CARD


@dataclass(frozen=True)
class Keys:
    """Private keys: one that the service trusts, and one that it does not know."""

    trusted: Path
    foreign: Path


#: Changes a release in place.
Spoil = Callable[[Path], object]


def leave(_: Path) -> None:
    """Change nothing."""


@dataclass(frozen=True)
class Attack:
    """How a release of a spam model is spoilt, and how the service shall name that.

    Attributes
    ----------
    reason : str
        The label of the metric.
    says : str
        A part of the sentence in GET /models.
    inside : callable
        Changes the release before it is signed; the manifest is then made to fit it.
    released : callable
        Changes what it says of itself, before it is signed too.
    signer : {"trusted", "foreign"} or None
        Whose key signs it.
    outside : callable
        Changes it after it was signed.
    """

    reason: str
    says: str
    inside: Spoil = leave
    released: Spoil = leave
    signer: str | None = "trusted"
    outside: Spoil = leave


def make(folder: Path, version: int, keys: Keys, attack: Attack | None = None) -> Path:
    """Write the release of one version of a spam model into ``folder``, spoilt by ``attack``."""
    attack = attack or Attack("", "")
    # A number would not do: the normaliser makes all of them one.
    word = "".join("abcdefghij"[int(digit)] for digit in str(version))
    make_release(folder, "spam", extra=(f"This is what makes version {word} another one",))
    attack.inside(folder)
    if attack.inside is not leave:
        rehash(folder)
    describe_release(folder, version, "spam")
    attack.released(folder)
    if attack.signer is not None:
        sign_release(folder, getattr(keys, attack.signer))
    attack.outside(folder)
    return folder


def rehash(folder: Path) -> None:
    """Make the manifest name the files that are there, with their hashes."""
    bundle = folder / "bundle"
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(bundle.iterdir())
        if path.name != MANIFEST
    }
    edit_json(bundle / MANIFEST, files=files)


def edit_json(path: Path, **changes: Any) -> None:
    """Change entries of a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | changes, indent=2, sort_keys=True), encoding="utf-8")


def ran(folder: Path) -> Path:
    """Return the folder that the pickles of the release in ``folder`` make when they are read."""
    return folder.with_name(f"{folder.name}-ran")


class _Harm:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(ran(self.folder)),)


def _model(folder: Path) -> Path:
    return folder / "bundle" / MODEL_FILE


def _change_bytes(folder: Path) -> None:
    content = bytearray(_model(folder).read_bytes())
    content[len(content) // 2] ^= 1
    _model(folder).write_bytes(content)


def _change_bytes_and_hashes(folder: Path) -> None:
    _change_bytes(folder)
    rehash(folder)
    digest = hashlib.sha256((folder / "bundle" / MANIFEST).read_bytes()).hexdigest()
    edit_json(folder / RELEASE_FILE, digest=digest)


def _truncate(folder: Path) -> None:
    os.truncate(_model(folder), _model(folder).stat().st_size // 2)


def _pickle(folder: Path) -> None:
    _model(folder).unlink()
    (folder / "bundle" / "model.pkl").write_bytes(pickle.dumps(_Harm(folder)))


def _pickle_under_the_name_of_skops(folder: Path) -> None:
    _model(folder).write_bytes(pickle.dumps(_Harm(folder)))


def _smuggle_a_function(folder: Path) -> None:
    steps = load_model(_model(folder)).steps
    harm = FunctionTransformer(os.getcwd)
    _model(folder).write_bytes(dumps(Pipeline([("harm", harm), *steps])))


def _choose_format(folder: Path) -> None:
    edit_json(folder / "bundle" / MANIFEST, format=2)


def _choose_library(folder: Path) -> None:
    path = folder / "bundle" / MANIFEST
    libraries = json.loads(path.read_text(encoding="utf-8"))["libraries"]
    edit_json(path, libraries=libraries | {"scikit-learn": "0.24.2"})


def _answer_otherwise(folder: Path) -> None:
    path = folder / "bundle" / GOLDEN_FILE
    first, *others = path.read_text(encoding="utf-8").splitlines()
    row = json.loads(first)
    row["scores"]["spam"] = 1.0 - row["scores"]["spam"]
    path.write_text("\n".join([json.dumps(row), *others]) + "\n", encoding="utf-8")


def _become_another_kind(folder: Path) -> None:
    shutil.rmtree(folder)
    make_release(folder, "toxicity")


def _say_nothing(folder: Path) -> None:
    (folder / RELEASE_FILE).write_text("{}", encoding="utf-8")


#: What can be done to a release before it is published as any other; the hub takes all of them.
ATTACKS: Mapping[str, Attack] = {
    "bytes changed": Attack("signature", "is not what model.sig signs", outside=_change_bytes),
    "bytes and all hashes changed": Attack(
        "signature", "is not what model.sig signs", outside=_change_bytes_and_hashes
    ),
    "truncated": Attack("signature", "is not what model.sig signs", outside=_truncate),
    "unsigned": Attack("signature", "is not signed", signer=None),
    "signed with a key nobody trusts": Attack(
        "signature", "was made with the key", signer="foreign"
    ),
    "another bundle than released": Attack(
        "hash_mismatch",
        "the bundle was changed after it was released",
        released=lambda folder: edit_json(folder / RELEASE_FILE, digest="0" * 64),
    ),
    "a pickle": Attack("format", "names no model.skops", inside=_pickle),
    "a pickle that is called skops": Attack(
        "format", "is not a skops file", inside=_pickle_under_the_name_of_skops
    ),
    "a type that is not trusted": Attack(
        "untrusted_type", "types that are not trusted", inside=_smuggle_a_function
    ),
    "another format": Attack("format", "this code reads format 1", inside=_choose_format),
    "another scikit-learn": Attack(
        "library_version", "was made with scikit-learn 0.24.2", inside=_choose_library
    ),
    "other answers": Attack("golden_mismatch", "row 1: spam is", inside=_answer_otherwise),
    "another kind": Attack("format", "of kind 'toxicity'", inside=_become_another_kind),
    "the name of another version": Attack(
        "hash_mismatch",
        "gives the name v1",
        released=lambda folder: edit_json(folder / RELEASE_FILE, version=1),
    ),
    "another name than was signed": Attack(
        "signature",
        "release.json was changed",
        outside=lambda folder: edit_json(folder / RELEASE_FILE, version=1),
    ),
    "another card than was signed": Attack(
        "signature",
        "README.md was changed",
        outside=lambda folder: (folder / "README.md").write_text(CARD + "Ask us for a discount\n"),
    ),
    "no release": Attack("hub", "does not describe a release", outside=_say_nothing),
}


def _link_to_the_same(folder: Path) -> None:
    away = folder.parents[3] / f"{folder.name}-model"
    _model(folder).rename(away)
    _model(folder).symlink_to(away)


def _link_the_bundle(folder: Path) -> None:
    away = folder.parents[3] / f"{folder.name}-bundle"
    (folder / "bundle").rename(away)
    (folder / "bundle").symlink_to(away, target_is_directory=True)


def _forge_the_list(folder: Path) -> None:
    _change_bytes(folder)
    commit = read_commit(folder)
    forged = commit.model_copy(update={"files": describe(folder)})
    (folder / COMMIT_FILE).write_text(forged.model_dump_json(indent=2), encoding="utf-8")


#: What can be done to a commit in the folder of a local hub, behind the hub's back.
BEHIND_THE_BACK: Mapping[str, Attack] = {
    "bytes changed": Attack("hub", "is damaged", outside=_change_bytes),
    "truncated": Attack("hub", "is damaged", outside=_truncate),
    "a file more": Attack(
        "hub", "is damaged", outside=lambda folder: (folder / "bundle" / "more").touch()
    ),
    "a file less": Attack("hub", "is damaged", outside=lambda folder: _model(folder).unlink()),
    "a link to the same file": Attack("hub", "is not a plain file", outside=_link_to_the_same),
    "a link to the same folder": Attack("hub", "is not a plain file", outside=_link_the_bundle),
    "the list of files changed too": Attack("hub", "was changed", outside=_forge_the_list),
}
