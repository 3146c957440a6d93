"""In production only what a trusted key signed becomes champion, whoever wants it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from models.errors import SignatureError
from models.hub import CHALLENGER, MAIN, LocalHub
from models.params import load_params
from models.signing import SIGNATURE_FILE, fingerprint, generate_keys
from models.trust import Trust, read_keys, read_trust
from pipelines import publish, tracking
from pipelines.champions import Champion
from pipelines.promote import RefusedError, promote
from pipelines.rollback import rollback
from pipelines.tracking import open_store
from tests.pipelines.contenders import fewer, fit, starter_sides
from tests.pipelines.contest import REPO, make_champion, make_contest
from tests.pipelines.results import working_in

FEWER, FULL = 1, 2


class Pair(NamedTuple):
    private: Path
    public: Path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with two versions of spam, the second better."""
    root = tmp_path_factory.mktemp("project")
    rows = starter_sides("spam")["train"]
    with working_in(root):
        make_contest(root, {"spam": [fit("spam", fewer(rows)), fit("spam", rows)]})
        yield root


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("keys")
    pairs = {name: Pair(folder / f"{name}.key", folder / f"{name}.pub") for name in ("own", "old")}
    for pair in pairs.values():
        generate_keys(*pair)
    return pairs


@pytest.fixture
def hub(project: Path, tmp_path: Path) -> LocalHub:
    assert Path.cwd() == project
    return LocalHub(tmp_path / "hub")


def enter_production(patch: pytest.MonkeyPatch, keys: dict[str, Pair]) -> None:
    """Trust our own key and sign with it."""
    patch.setenv("CAREERLENS_ENV", "production")
    patch.setenv("CAREERLENS_TRUSTED_KEYS", str(keys["own"].public))
    patch.setenv("CAREERLENS_SIGNING_KEY", str(keys["own"].private))


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, keys: dict[str, Pair]) -> pytest.MonkeyPatch:
    enter_production(monkeypatch, keys)
    return monkeypatch


def judge(hub: LocalHub, number: int, reason: str | None = None) -> Champion:
    with open_store() as store:
        return promote(store, hub, "spam", load_params(), read_trust(os.environ), number, reason)


def state(printed: str, check: str) -> str:
    (line,) = (line for line in printed.splitlines() if line.split()[:1] == [check])
    return line.split()[-1]


@pytest.mark.usefixtures("production")
def test_a_signed_challenger_becomes_champion(
    hub: LocalHub, keys: dict[str, Pair], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(hub, FEWER)
    judge(hub, FULL)
    assert state(capsys.readouterr().out.partition("v2 against v1")[2], "signature") == "ok"
    main = hub.fetch(REPO, MAIN, tmp_path / "cache")
    signer = fingerprint(keys["own"].public)
    assert (main.release.tag, main.release.signer) == ("v2", signer)
    assert Trust(required=True, keys=read_keys([keys["own"].public])).check(main.path) == signer


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (None, "CAREERLENS_SIGNING_KEY is not set, so v2 would be published unsigned"),
        ("old", "v2 would be signed with the key that CAREERLENS_SIGNING_KEY names"),
    ],
)
def test_without_a_trusted_key_nothing_is_published_not_even_by_force(
    hub: LocalHub,
    keys: dict[str, Pair],
    production: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str | None,
    told: str,
) -> None:
    make_champion(hub, "spam", FEWER)
    before = hub.refs(REPO)
    if key is None:
        production.delenv("CAREERLENS_SIGNING_KEY")
    else:
        production.setenv("CAREERLENS_SIGNING_KEY", str(keys[key].private))
    with pytest.raises(RefusedError, match="a signature is required"):
        judge(hub, FULL)
    printed = capsys.readouterr().out
    assert told in printed
    assert state(printed, "signature") == "FAILED"
    with pytest.raises(RefusedError, match=r"v2 cannot be forced: .* would refuse it"):
        judge(hub, FULL, "it is urgent")
    with open_store() as store, pytest.raises(SignatureError, match=told):
        publish.publish(store, hub, "spam", load_params(), read_trust(os.environ), FULL)
    assert hub.refs(REPO) == before


def test_what_is_on_the_hub_unsigned_stays_so_and_is_refused(
    hub: LocalHub,
    monkeypatch: pytest.MonkeyPatch,
    keys: dict[str, Pair],
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_champion(hub, "spam", FEWER)
    with open_store() as store:
        publish.publish(store, hub, "spam", load_params(), read_trust(os.environ), FULL)
    assert hub.release(REPO, CHALLENGER).signer is None
    enter_production(monkeypatch, keys)
    with pytest.raises(RefusedError, match="a signature is required"):
        judge(hub, FULL)
    assert "v2 is on the hub like that, and a version never changes" in capsys.readouterr().out
    assert hub.release(REPO, MAIN).tag == "v1"


def test_an_unsigned_champion_is_not_asked_and_replaced_by_force_alone(
    hub: LocalHub,
    monkeypatch: pytest.MonkeyPatch,
    keys: dict[str, Pair],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_champion(hub, "spam", FEWER)
    enter_production(monkeypatch, keys)
    with pytest.raises(RefusedError, match=r"the champion v1 cannot be asked.* is not signed"):
        judge(hub, FULL)
    printed = capsys.readouterr().out
    assert state(printed, "champion") == "FAILED"
    assert "gain/" not in printed
    with pytest.raises(SignatureError, match="is not signed"):
        judge(hub, FEWER)  # it is the champion already
    assert judge(hub, FULL, "v1 was never signed").release.tag == "v2"
    line = (hub.fetch(REPO, MAIN, tmp_path).path / "promotions.jsonl").read_text().splitlines()
    decision = json.loads(line[-1])["decision"]
    assert decision["forced"] == "v1 was never signed"
    assert "champion" in [check["name"] for check in decision["checks"] if not check["passed"]]


def test_an_unsigned_version_is_not_gone_back_to(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, keys: dict[str, Pair]
) -> None:
    make_champion(hub, "spam", FEWER)
    enter_production(monkeypatch, keys)
    judge(hub, FULL, "v1 was never signed")
    with open_store() as store, pytest.raises(SignatureError, match="is not signed"):
        rollback(store, hub, "spam", load_params(), read_trust(os.environ))
    assert hub.release(REPO, MAIN).tag == "v2"


def test_production_without_trusted_keys_promotes_nothing(
    hub: LocalHub, production: pytest.MonkeyPatch
) -> None:
    production.delenv("CAREERLENS_TRUSTED_KEYS")
    with pytest.raises(SignatureError, match="set CAREERLENS_TRUSTED_KEYS"):
        judge(hub, FEWER)
    assert not hub.root.exists()


@pytest.mark.usefixtures("project", "production")
def test_a_version_is_signed_once_and_half_a_signature_does_not_count(
    keys: dict[str, Pair], tmp_path: Path
) -> None:
    hubs = [LocalHub(tmp_path / f"hub {number}") for number in range(3)]
    signatures = []
    for each in hubs:
        make_champion(each, "spam", FULL)
        copy = each.fetch(REPO, "v2", tmp_path / f"cache of {each.root.name}").path
        signatures.append((copy / SIGNATURE_FILE).read_bytes())
        if each is hubs[1]:
            spoil_kept_signature(fingerprint(keys["own"].public))
    assert signatures[0] == signatures[1] != signatures[2]
    assert Trust(required=True, keys=read_keys([keys["own"].public])).check(copy)


def spoil_kept_signature(signer: str) -> None:
    """Leave half of what MLflow has of the signature of v2, as a crash may do."""
    with open_store() as store:
        run = tracking.versions(store, "spam")[FULL].run_id
    kept = Path("mlruns") / run / "artifacts" / "signatures" / signer / SIGNATURE_FILE
    content = kept.read_bytes()
    kept.write_bytes(content[: len(content) // 2])
