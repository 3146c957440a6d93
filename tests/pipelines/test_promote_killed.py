"""Killed at any step and run again, a command ends as if nobody had disturbed it."""

import itertools
import re
import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.bundle import verify_bundle
from models.hf_hub import HuggingFaceHub
from models.hub import MAIN, Hub, LocalHub
from models.release import read_promotions
from models.signing import generate_keys
from models.trust import Trust, read_keys
from tests.hub_server import Call, Fault, HubServer
from tests.pipelines.commands import KILLED, Commands, Running
from tests.pipelines.contenders import fewer, fit, starter_sides
from tests.pipelines.contest import REPO, make_contest, mirror
from tests.pipelines.results import working_in

PUBLISH = ("publish", "spam", "--version")
PROMOTE = ("promote", "spam", "--version", "2")

#: What is run after the case above, then what is killed, and all champions there were in the end.
#: Here a version is on the hub before it is promoted; on the Hugging Face Hub it is not.
CASES: dict[str, tuple[tuple[tuple[str, ...], ...], tuple[str, ...], list[str]]] = {
    "publish": ((), (*PUBLISH, "1"), ["v1"]),
    "promote": (((*PUBLISH, "1"), (*PUBLISH, "2")), PROMOTE, ["v1", "v2"]),
    "rollback": ((PROMOTE,), ("rollback", "spam"), ["v1", "v2", "v1"]),
}


@dataclass
class Project:
    """A project in production with two versions of spam, put back to any of its beginnings."""

    root: Path
    beginnings: Path
    commands: Commands
    environment: dict[str, str]
    key: Path

    def start(self, *command: str, kill_at: int = 0, **more: str) -> Running:
        environment = self.environment | more
        return self.commands.start(self.root, *command, environment=environment, kill_at=kill_at)

    def keep(self, name: str) -> None:
        shutil.copytree(self.root, self.beginnings / name)

    def put_back(self, name: str) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self.beginnings / name, self.root)

    def check(self, hub: Hub, before: dict[str, str], champions: list[str], cache: Path) -> None:
        """Assert that hub and MLflow agree on the champion, and that all versions are whole.

        Parameters
        ----------
        before : dict of str to str
            Commits of the versions that were there before.
        """
        refs = hub.refs(REPO)
        assert before.items() <= refs.tags.items()
        assert refs.tags.keys() == set(champions)
        main = hub.fetch(REPO, MAIN, cache)
        assert main.release.tag == champions[-1]
        promotions = read_promotions(main.path)
        assert [each.to for each in promotions] == champions
        assert [each.before for each in promotions] == [None, *champions[:-1]]
        seen = self.commands.ask(mirror, self.root)
        assert f"v{seen.alias}" == champions[-1]
        assert seen.log == (main.path / "promotions.jsonl").read_text(encoding="utf-8")
        assert seen.state == "FINISHED"
        for number, commit in seen.commits.items():
            assert commit == refs.tags.get(f"v{number}")
        trust = Trust(required=True, keys=read_keys([self.key]))
        for revision in (*refs.tags, MAIN):
            fetched = hub.fetch(REPO, revision, cache)
            _, digest = verify_bundle(fetched.path / "bundle")
            assert digest == fetched.release.digest
            assert trust.check(fetched.path) == fetched.release.signer


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    generate_keys(folder / "signing.key", folder / "signing.pub")
    rows = starter_sides("spam")["train"]
    root = folder / "root"
    root.mkdir()
    commands = Commands()
    with working_in(root):
        make_contest(root, {"spam": [fit("spam", fewer(rows)), fit("spam", rows)]})
    environment = {
        "CAREERLENS_ENV": "production",
        "CAREERLENS_SIGNING_KEY": str(folder / "signing.key"),
        "CAREERLENS_TRUSTED_KEYS": str(folder / "signing.pub"),
    }
    project = Project(root, folder / "beginnings", commands, environment, folder / "signing.pub")
    for name, (before, _, _) in CASES.items():
        for command in before:
            code, said = project.start(*command).end()
            assert code == 0, said
        project.keep(name)
    return project


@pytest.mark.parametrize("case", CASES)
def test_killed_before_any_step_and_run_again(project: Project, tmp_path: Path, case: str) -> None:
    _, command, champions = CASES[case]
    hub = LocalHub(project.root / "hub")
    for number in itertools.count(1):
        project.put_back(case)
        code, said = project.start(*command, kill_at=number).end()
        if code == 0:
            break
        assert code == KILLED, said
        before = hub.refs(REPO).tags if (hub.root / REPO / "refs.json").exists() else {}
        code, said = project.start(*command).end()
        assert code == 0, said
        project.check(hub, before, champions, tmp_path / str(number))
        assert not list(hub.root.rglob(".staged-*"))
    project.check(hub, {}, champions, tmp_path / "undisturbed")
    assert number >= 10


#: The calls that leave something behind.
CHANGES = re.compile(r"^PUT|^POST .*/(create|branch|commit|tag)\b")


class DeadlyServer(HubServer):
    """Kills the process that asks for a change, after so many, and makes that one all the same."""

    victim: Running | None = None
    changes = 0

    def take_note(self, call: Call) -> Fault | None:
        if self.victim is not None and CHANGES.search(call.what):
            if self.changes == 0:
                self.victim.kill()
                self.victim = None
                return Fault("", status=0, acts=True)
            self.changes -= 1
        return super().take_note(call)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeadlyServer]:
    with DeadlyServer() as server:
        monkeypatch.setenv("HF_TOKEN", server.token)
        yield server


def test_killed_after_any_change_on_the_hugging_face_hub_and_run_again(
    project: Project, server: DeadlyServer, tmp_path: Path
) -> None:
    """A first publish, then the promotion of the next version."""
    hub = HuggingFaceHub(server.endpoint)
    there = {"HF_ENDPOINT": server.endpoint, "HF_TOKEN": server.token, "CAREERLENS_HUB": "hf:"}
    project.put_back("publish")
    for case in ("publish", "promote"):
        _, command, champions = CASES[case]
        project.keep(f"{case} there")
        repos, objects = deepcopy(server.store.repos), dict(server.store.objects)
        for number in itertools.count():
            project.put_back(f"{case} there")
            server.store.repos, server.store.objects = deepcopy(repos), dict(objects)
            server.changes = number
            server.victim = running = project.start(*command, **there)
            code, said = running.end()
            if code == 0:
                break
            assert code == KILLED, said
            before = dict(server.store.repos[REPO].tags)
            code, said = project.start(*command, **there).end()
            assert code == 0, said
            project.check(hub, before, champions, tmp_path / f"{case} {number}")
        server.victim = None
        assert number >= 4
