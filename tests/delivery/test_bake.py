"""The champions of a hub, copied to be built into a bento."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from models.errors import BundleError, SignatureError, UnknownRevisionError
from models.hub import MAIN, LocalHub, repo_id
from models.manifest import KINDS, Kind
from models.params import load_params
from models.signing import generate_keys, sign_release
from models.trust import Trust, read_keys
from pipelines.bake import bake
from tests.e2e.releases import crown, describe_release
from tests.factories import ROOT
from tests.serving.champions import NAMESPACE

PARAMS = load_params(ROOT / "params.yaml")
UNSIGNED = Trust(required=False, keys=())


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of commits are kept below the project's root."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("CAREERLENS_NAMESPACE", NAMESPACE)


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    generate_keys(tmp_path / "signing.key", tmp_path / "signing.pub")
    return Trust(required=True, keys=read_keys([tmp_path / "signing.pub"]))


def released(tmp_path: Path, bundles: Mapping[Kind, Path], *, key: Path | None = None) -> LocalHub:
    """Return a hub with two versions of every kind, the second champion."""
    hub = LocalHub(tmp_path / "hub")
    for kind, packaged in bundles.items():
        for version in (1, 2):
            folder = tmp_path / f"{kind}-{version}"
            shutil.copytree(packaged, folder)
            describe_release(folder, version, kind)
            if key is not None:
                sign_release(folder, key)
            crown(hub, folder, version, kind)
    return hub


def test_champions_alone_are_copied_with_version_and_signature(
    tmp_path: Path, tiny_bundles: dict[Kind, Path], trust: Trust
) -> None:
    hub = released(tmp_path, tiny_bundles, key=tmp_path / "signing.key")
    baked = bake(hub, PARAMS, trust, tmp_path / "baked")
    for kind in KINDS:
        repo = repo_id(NAMESPACE, kind)
        assert list(baked.refs(repo).tags) == ["v2"]
        fetched = baked.fetch(repo, MAIN, tmp_path / "cache")
        assert fetched.release == hub.release(repo, MAIN)
        assert trust.check(fetched.path)


def test_what_was_baked_before_is_replaced(tmp_path: Path, tiny_bundles: dict[Kind, Path]) -> None:
    hub = released(tmp_path, tiny_bundles)
    (tmp_path / "baked").mkdir()
    (tmp_path / "baked" / "old").touch()
    bake(hub, PARAMS, UNSIGNED, tmp_path / "baked")
    assert {path.name for path in (tmp_path / "baked").iterdir()} == {NAMESPACE}


def test_the_unsigned_are_not_baked(
    tmp_path: Path, tiny_bundles: dict[Kind, Path], trust: Trust
) -> None:
    hub = released(tmp_path, tiny_bundles)
    with pytest.raises(SignatureError, match="not signed"):
        bake(hub, PARAMS, trust, tmp_path / "baked")
    assert not (tmp_path / "baked").exists()


def test_a_bundle_that_is_not_what_its_manifest_says_is_not_baked(
    tmp_path: Path, tiny_bundles: dict[Kind, Path]
) -> None:
    hub = released(tmp_path, tiny_bundles)
    folder = tmp_path / "spam-2"
    (folder / "bundle" / "metrics.json").write_text("{}", encoding="utf-8")
    describe_release(folder, 3, "spam")
    crown(hub, folder, 3, "spam")
    with pytest.raises(BundleError, match=r"metrics\.json"):
        bake(hub, PARAMS, UNSIGNED, tmp_path / "baked")
    assert not (tmp_path / "baked").exists()


def test_a_model_without_a_champion_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownRevisionError, match="careerlens-spam"):
        bake(LocalHub(tmp_path / "empty"), PARAMS, UNSIGNED, tmp_path / "baked")
