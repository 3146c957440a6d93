import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.bundle import load_bundle
from models.errors import HashMismatchError, VersionExistsError
from models.hub import CHALLENGER, MAIN, LocalHub
from models.kinds import FORMATS
from models.params import Params, load_params
from models.release import Promotion, Release, read_promotions, write_release
from pipelines import publish, register, track, tracking
from pipelines.champions import hub_cache
from pipelines.tracking import TrackingError, open_store
from tests.pipelines.contest import NO_KEYS
from tests.pipelines.results import make_result, working_in

REPO = "careerlens/careerlens-spam"
BAD, GOOD, BETTER = 1, 2, 3


@dataclass(frozen=True)
class Project:
    """A project with three registered spam versions, the first of them below its floors."""

    root: Path
    params: Params
    digests: dict[int, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("project")
    digests = {}
    with working_in(root):
        for number, mcc in ((BAD, 0.1), (GOOD, 0.7), (BETTER, 0.9)):
            digests[number] = make_result(root, mcc=mcc)["spam"]
            track.track(track.parse_args([]))
            packaged = tracking.read_packaged(Path("artifacts/spam/release"))
            with open_store() as store:
                assert register.register(store, "spam", packaged) == (number, True)
        yield Project(root, load_params(), digests)


@pytest.fixture
def hub(tmp_path: Path) -> LocalHub:
    return LocalHub(tmp_path / "hub")


def send(project: Project, hub: LocalHub, number: int | None = None) -> bool:
    with open_store() as store:
        return publish.publish(store, hub, "spam", project.params, NO_KEYS, number)


def champion_alias() -> int | None:
    with open_store() as store:
        return tracking.alias(store, "spam", tracking.CHAMPION)


def test_the_first_good_version_becomes_champion(
    project: Project, hub: LocalHub, tmp_path: Path
) -> None:
    assert send(project, hub, GOOD)
    fetched = hub.fetch(REPO, MAIN, tmp_path / "cache")
    assert fetched.release.version == GOOD
    assert fetched.release.digest == project.digests[GOOD]
    load_bundle(fetched.path / "bundle", FORMATS["spam"], project.digests[GOOD])
    (promotion,) = read_promotions(fetched.path)
    assert (promotion.before, promotion.to) == (None, f"v{GOOD}")
    assert promotion.decision["accepted"]
    assert {check["name"] for check in promotion.decision["checks"]} == {"mcc", "auc"}
    assert champion_alias() == GOOD
    with open_store() as store:
        version = tracking.versions(store, "spam")[GOOD]
    assert version.tags["hub_tag"] == f"v{GOOD}"
    assert version.tags["hub_commit"] == hub.refs(REPO).tags[f"v{GOOD}"]
    assert fetched.release.mlflow_run == version.run_id


def test_a_version_below_its_floors_is_published_but_no_champion(
    project: Project, hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not send(project, hub, BAD)
    refs = hub.refs(REPO)
    assert refs.branches == {CHALLENGER: refs.tags[f"v{BAD}"]}
    printed = capsys.readouterr().out
    assert "mcc is 0.1000, its floor is 0.6" in printed
    assert "FAILED" in printed
    assert send(project, hub, GOOD)
    assert hub.release(REPO, MAIN).version == GOOD


def test_a_hub_with_a_champion_keeps_it(project: Project, hub: LocalHub) -> None:
    send(project, hub, GOOD)
    main = hub.refs(REPO).branches[MAIN]
    assert send(project, hub, BETTER)
    refs = hub.refs(REPO)
    assert refs.branches == {MAIN: main, CHALLENGER: refs.tags[f"v{BETTER}"]}
    assert champion_alias() == GOOD


def test_the_version_is_the_registrys_challenger_unless_another_is_named(
    project: Project, hub: LocalHub
) -> None:
    send(project, hub)
    assert hub.release(REPO, CHALLENGER).version == BETTER
    with pytest.raises(TrackingError, match=r"no version 9 .* its versions are 1, 2, 3"):
        send(project, hub, 9)


def test_a_version_registered_by_other_means_is_refused(project: Project, hub: LocalHub) -> None:
    with open_store() as store:
        version = store.client.create_model_version("spam", source="s3://elsewhere").version
    with pytest.raises(TrackingError, match="registered by other means"):
        send(project, hub, int(version))
    with open_store() as store:
        store.client.delete_model_version("spam", version)


def test_publishing_again_changes_nothing(project: Project, hub: LocalHub) -> None:
    send(project, hub, GOOD)
    before = hub.refs(REPO)
    assert send(project, hub, GOOD)
    assert hub.refs(REPO) == before


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def at_rename(number: int) -> Callable[[pytest.MonkeyPatch], None]:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        replace, done = os.replace, []

        def interrupted(source: Path, target: Path) -> None:
            done.append(target)
            if len(done) >= number:
                raise KeyboardInterrupt
            replace(source, target)

        monkeypatch.setattr(os, "replace", interrupted)

    return patch


def at_call(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(f"mlflow.tracking.MlflowClient.{name}", interrupt)

    return patch


@pytest.mark.parametrize(
    "crash",
    [
        pytest.param(at_rename(1), id="before the commit"),
        pytest.param(at_rename(2), id="before the tag"),
        pytest.param(at_call("set_model_version_tag"), id="before MLflow is told"),
        pytest.param(at_rename(3), id="before the fetched copy"),
        pytest.param(at_rename(4), id="before the champion's commit"),
        pytest.param(at_rename(5), id="before main moves"),
        pytest.param(at_call("set_registered_model_alias"), id="before the alias"),
    ],
)
def test_wherever_it_stopped_publishing_is_repeated_to_the_same_end(
    project: Project,
    hub: LocalHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    crash: Callable[[pytest.MonkeyPatch], None],
) -> None:
    undisturbed = LocalHub(tmp_path / "undisturbed")
    send(project, undisturbed, GOOD)
    shutil.rmtree(hub_cache())
    with open_store() as store:
        store.client.delete_registered_model_alias("spam", tracking.CHAMPION)
    with monkeypatch.context() as patch:
        crash(patch)
        with pytest.raises(KeyboardInterrupt):
            send(project, hub, GOOD)
    assert send(project, hub, GOOD)
    refs = hub.refs(REPO)
    assert refs.tags == undisturbed.refs(REPO).tags
    assert set(refs.branches) == {MAIN, CHALLENGER}
    assert len(read_promotions(hub.fetch(REPO, MAIN, tmp_path / "cache").path)) == 1
    assert champion_alias() == GOOD


def test_the_alias_follows_the_hub(project: Project, hub: LocalHub, tmp_path: Path) -> None:
    send(project, hub, GOOD)
    with open_store() as store:
        store.client.set_registered_model_alias("spam", tracking.CHAMPION, str(BAD))
    send(project, hub, GOOD)
    assert champion_alias() == GOOD
    # A champion from another store is none of ours, so nothing may bear its name here.
    stranger = make_stranger(tmp_path, number=7)
    shutil.copytree(stranger.root / REPO, hub.root / REPO, dirs_exist_ok=True)
    send(project, hub, BETTER)
    assert champion_alias() is None


def make_stranger(folder: Path, number: int) -> LocalHub:
    """Return a hub whose champion is a version that another store published."""
    release = folder / "release"
    make_result(folder / "stranger", mcc=0.8)
    shutil.copytree(folder / "stranger/artifacts/spam/release", release)
    digest = tracking.read_packaged(release).digest
    about = dict.fromkeys(("git_commit", "dvc_lock", "mlflow_run", "signer"))
    write_release(
        Release(kind="spam", version=number, digest=digest, created="2026-11-23", **about), release
    )
    hub = LocalHub(folder / "another hub")
    oid = hub.publish(REPO, number, release, "")
    hub.point(
        *(REPO, MAIN, oid, None),
        Promotion(who="bob", when="2026", before=None, to=f"v{number}", digest=digest, decision={}),
    )
    return hub


def test_a_hub_of_another_store_is_not_written_over(project: Project, tmp_path: Path) -> None:
    hub = make_stranger(tmp_path, number=GOOD)
    before = hub.refs(REPO)
    with pytest.raises(VersionExistsError, match="CAREERLENS_HUB"):
        send(project, hub, GOOD)
    assert hub.refs(REPO) == before


def test_a_bundle_changed_in_the_store_is_not_published(project: Project, hub: LocalHub) -> None:
    with open_store() as store:
        run = tracking.versions(store, "spam")[BETTER].run_id
    file = Path("mlruns") / run / "artifacts/release/bundle/model.skops"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"x")
    with pytest.raises(HashMismatchError, match=r"model\.skops"):
        send(project, hub, BETTER)
    assert not hub.root.exists()
    file.write_bytes(content)


@pytest.mark.usefixtures("project")
def test_the_command_ends_with_the_failing_checks(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["publish", "spam", "--hub", str(hub)]
    assert "is not served" in str(exit_code(monkeypatch, *command, "--version", str(BAD)))
    assert "refused as champion" in capsys.readouterr().out
    assert exit_code(monkeypatch, *command, "--check") == publish.NOTHING_RELEASED
    assert exit_code(monkeypatch, *command) == 0
    assert "v3 is the champion" in capsys.readouterr().out
    assert exit_code(monkeypatch, *command, "--check") == 0
    assert (
        exit_code(monkeypatch, "publish", "--hub", str(hub), "--check") == publish.NOTHING_RELEASED
    )


def exit_code(monkeypatch: pytest.MonkeyPatch, *command: str) -> object:
    """Return the exit code of the command."""
    monkeypatch.setattr("sys.argv", list(command))
    try:
        publish.main()
    except SystemExit as ended:
        return ended.code
    return 0
