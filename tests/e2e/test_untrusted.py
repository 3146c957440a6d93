"""What is put on the hub and must not be served is not; the service goes on, and says why."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.hub import MAIN, Hub, LocalHub
from models.manifest import KINDS, Kind
from models.release import RELEASE_FILE, read_release
from models.signing import generate_keys, sign_release
from tests.e2e.conftest import Server, serving
from tests.e2e.hostile import ATTACKS, BEHIND_THE_BACK, Attack, Keys, edit_json, make, ran
from tests.e2e.releases import crown, describe_release, repo_of
from tests.hub_server import HubServer
from tests.hub_store import Blob

REPO = repo_of("spam")
TEXT = "You won a prize! Claim it now at http://win.example"


class Scene:
    """A hub that somebody else writes to, and a service in production that follows it."""

    def __init__(self, hub: Hub, server: Server, keys: Keys, scratch: Path) -> None:
        self.hub = hub
        self.server = server
        self.keys = keys
        self.scratch = scratch
        self.version = 1

    def make(self, attack: Attack | None = None) -> Path:
        """Return the release of a new version."""
        self.version += 1
        return make(self.scratch / f"v{self.version}", self.version, self.keys, attack)

    def put(self, attack: Attack | None = None) -> Path:
        """Publish a new version, make it the champion, and return its release."""
        folder = self.make(attack)
        crown(self.hub, folder, self.version, "spam")
        return folder

    def shown(self) -> dict[str, Any]:
        """Return what GET /models says of the spam model."""
        models = self.server.client.get("/models").json()["models"]
        [row] = [model for model in models if model["kind"] == "spam"]
        return dict(row)

    def answering(self) -> tuple[str, str]:
        """Return version and digest that a verdict names."""
        answered = self.server.moderate(TEXT)
        assert answered.status_code == 200, answered.text
        spam = answered.json()["spam"]
        return spam["version"], spam["digest"]

    def refusals(self, reason: str) -> float:
        """Return what the metric counts."""
        text = self.server.client.get("/metrics").text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "careerlens_model_refusals_total"
            and sample.labels == {"kind": "spam", "reason": reason}
        )

    def wait(self, holds: Callable[[dict[str, Any]], object], *answers: str) -> dict[str, Any]:
        """Return what is shown once it ``holds``; until then only ``answers`` may answer."""
        deadline = time.monotonic() + 60
        while True:
            assert self.answering()[0] in answers
            row = self.shown()
            if holds(row):
                return row
            assert time.monotonic() < deadline, (row, self.server.log)
            time.sleep(0.05)

    def check_refused(self, before: tuple[str, str], counted: float, attack: Attack) -> None:
        """Check that the service says why it goes on with ``before``."""
        row = self.wait(lambda row: attack.says in (row["error"] or ""), before[0])
        assert row["refused"] is not None
        assert (row["version"], row["digest"]) == before == self.answering()
        assert self.refusals(attack.reason) == counted + 1

    def check_recovers(self, before: tuple[str, str]) -> None:
        """Check that a good version answers once it is there."""
        self.put()
        self.check_serves_newest(before)

    def check_serves_newest(self, before: tuple[str, str]) -> None:
        """Check that the newest version comes to answer, and nothing else but ``before``."""
        good = f"v{self.version}"
        row = self.wait(lambda row: row["version"] == good, before[0], good)
        assert (row["error"], row["refused"], row["stale"]) == (None, None, False)
        assert self.answering() == (good, row["digest"])
        assert row["digest"] != before[1]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("trusted", "foreign", "next"):
        generate_keys(folder / name, folder / f"{name}.pub")
    return Keys(folder / "trusted", folder / "foreign")


@pytest.fixture(scope="module")
def signed(
    tiny_bundles: dict[Kind, Path], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> dict[Kind, Path]:
    """Signed releases of every kind, version 1."""
    root = tmp_path_factory.mktemp("signed")
    for kind, packaged in tiny_bundles.items():
        shutil.copytree(packaged, root / kind)
        describe_release(root / kind, 1, kind)
        sign_release(root / kind, keys.trusted)
    return {kind: root / kind for kind in KINDS}


@contextmanager
def in_production(
    hub: Hub, signed: dict[Kind, Path], keys: Keys, home: Path, **chosen: str
) -> Iterator[Scene]:
    """Serve what a hub has, with two keys that are trusted, as while an old one gives way."""
    for kind, release in signed.items():
        crown(hub, release, 1, kind)
    trusted = (keys.trusted.with_name(name) for name in ("next.pub", "trusted.pub"))
    with serving(
        home / "server",
        CAREERLENS_ENV="production",
        CAREERLENS_TRUSTED_KEYS=os.pathsep.join(map(str, trusted)),
        CAREERLENS_POLL_SECONDS="0.3",
        **chosen,
    ) as server:
        server.wait("/readyz")
        yield Scene(hub, server, keys, home / "releases")


@pytest.fixture(scope="module")
def local(
    signed: dict[Kind, Path], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("local")
    hub = LocalHub(home / "hub")
    with in_production(hub, signed, keys, home, CAREERLENS_HUB=str(hub)) as scene:
        yield scene


@pytest.fixture(scope="module")
def standing_in(
    signed: dict[Kind, Path], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Scene, HubServer]]:
    from huggingface_hub import constants

    from models.hf_hub import HuggingFaceHub

    home = tmp_path_factory.mktemp("standin")
    with HubServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        patch.setenv("HF_TOKEN", server.token)
        hub = HuggingFaceHub(server.endpoint)
        chosen = {
            "CAREERLENS_HUB": "hf:",
            "HF_ENDPOINT": server.endpoint,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HOME": str(home / "huggingface"),
        }
        with in_production(hub, signed, keys, home, **chosen) as scene:
            yield scene, server


@pytest.fixture
def standin(standing_in: tuple[Scene, HubServer]) -> Iterator[tuple[Scene, HubServer]]:
    """The stand-in with its service; what goes wrong with it does so in one test alone."""
    yield standing_in
    standing_in[1].recover()


@pytest.fixture(scope="module", params=["local", "standing_in"])
def scene(request: pytest.FixtureRequest) -> Scene:
    found = request.getfixturevalue(request.param)
    return found if isinstance(found, Scene) else found[0]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_is_not_to_be_trusted_is_refused_and_named(scene: Scene, attack: Attack) -> None:
    before, counted = scene.answering(), scene.refusals(attack.reason)
    folder = scene.put(attack)
    scene.check_refused(before, counted, attack)
    assert not ran(folder).exists()
    scene.check_recovers(before)


def test_an_old_version_under_a_new_name_is_refused_with_its_old_signature(scene: Scene) -> None:
    old = scene.put()
    scene.check_serves_newest(scene.answering())
    scene.put()
    scene.check_serves_newest((f"v{read_release(old).version}", read_release(old).digest))
    before, counted = scene.answering(), scene.refusals("signature")
    scene.version += 1
    renamed = scene.scratch / f"v{scene.version}"
    shutil.copytree(old, renamed)
    edit_json(renamed / RELEASE_FILE, version=scene.version)
    crown(scene.hub, renamed, scene.version, "spam")
    attack = Attack("signature", "is not what model.sig signs")
    scene.check_refused(before, counted, attack)
    shown = scene.shown()
    assert shown["refused"] == f"v{scene.version}"
    assert "release.json was changed" in shown["error"]
    scene.check_recovers(before)


@pytest.mark.parametrize("attack", BEHIND_THE_BACK.values(), ids=BEHIND_THE_BACK)
def test_a_commit_that_was_changed_in_the_hubs_folder_is_refused(
    local: Scene, attack: Attack
) -> None:
    before, counted = local.answering(), local.refusals(attack.reason)
    assert isinstance(local.hub, LocalHub)
    forge(local.hub, local.make(), local.version, attack)
    local.check_refused(before, counted, attack)
    local.check_recovers(before)


def forge(hub: LocalHub, release: Path, version: int, attack: Attack) -> None:
    """Move ``main`` to a commit that is spoilt from the first moment on, as files and no more."""
    aside = LocalHub(hub.root.with_name(f"aside-v{version}"))
    shutil.copytree(hub.root, aside.root, symlinks=True)
    crown(aside, release, version, "spam")
    attack.outside(aside.root / REPO / "commits" / aside.resolve(REPO, MAIN))
    there = hub.root / REPO
    for commit in (aside.root / REPO / "commits").iterdir():
        if not (there / "commits" / commit.name).exists():
            shutil.copytree(commit, there / "commits" / commit.name, symlinks=True)
    os.replace(aside.root / REPO / "refs.json", there / "refs.json")


LARGE = r"GET /[0-9a-f]{64}$"
SMALL = r"GET /careerlens/careerlens-spam/resolve/[0-9a-f]+/bundle/manifest.json"


@pytest.mark.parametrize(
    ("files", "ours"),
    # A promotion reads small files of the version, and leaves large ones where they are.
    [(LARGE, 0), (SMALL, 1)],
    ids=["large", "small"],
)
def test_bytes_that_change_on_the_way_are_refused_until_they_arrive_whole(
    standin: tuple[Scene, HubServer], files: str, ours: int
) -> None:
    scene, server = standin
    before, counted = scene.answering(), scene.refusals("hub")
    server.fail(files, garbled=True, skip=ours, times=10**9)
    scene.put()
    row = scene.wait(lambda row: row["error"], before[0])
    assert "arrives with other bytes" in row["error"]
    assert scene.refusals("hub") > counted
    server.recover()
    scene.check_serves_newest(before)


def test_a_transfer_that_is_cut_off_changes_nothing_until_it_arrives_whole(
    standin: tuple[Scene, HubServer],
) -> None:
    scene, server = standin
    before, asked = scene.answering(), len(server.asked(LARGE))
    server.fail(LARGE, cut=1000, times=2)
    scene.put()
    scene.check_serves_newest(before)
    assert len(server.asked(LARGE)) > asked + 2


def test_bytes_that_were_changed_where_the_hub_stores_them_are_refused(
    standin: tuple[Scene, HubServer],
) -> None:
    scene, server = standin
    before, counted = scene.answering(), scene.refusals("hub")
    server.fail(LARGE, status=503, times=10**9)  # until they are changed
    release = scene.put()
    model = (release / "bundle" / "model.skops").read_bytes()
    server.store.objects[hashlib.sha256(model).hexdigest()] = model[::-1]
    server.recover()
    scene.wait(lambda row: "arrives with other bytes" in (row["error"] or ""), before[0])
    assert scene.refusals("hub") > counted
    scene.check_recovers(before)


def test_a_file_that_leads_out_of_the_commit_is_refused(
    standin: tuple[Scene, HubServer],
) -> None:
    scene, server = standin
    before, counted = scene.answering(), scene.refusals("hub")
    repository = server.store.repos[REPO]
    with server.store.lock:
        head = repository.at(MAIN)
        evil = {"bundle/../../../../evil": Blob(b"evil", large=False)}
        repository.add_commit(MAIN, "evil", "", {**head.files, **evil})
    attack = Attack("hub", "leads out of the commit")
    scene.check_refused(before, counted, attack)
    with server.store.lock:  # no commit can follow that one through our own client either
        repository.branches[MAIN] = head.oid
    scene.check_recovers(before)
