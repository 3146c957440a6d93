"""What may not answer never does, and a pinned version always: what answered goes on."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import FormatError
from models.hub import MAIN, repo_id
from models.manifest import KINDS, Thresholds
from models.release import read_release
from models.text_model import MODEL_FILE
from serving.reports import describe_failure
from serving.setting_error import SettingsError
from serving.settings import Settings
from tests.factories import make_release
from tests.hub_server import HubServer
from tests.serving.champions import NAMESPACE, point
from tests.serving.following import FOR_EVER, Scene, key_pair


def _another_kind(scene: Scene) -> None:
    scene.promote("spam", 2, scene.packaged["toxicity", 2])


def _another_library(scene: Scene) -> None:
    packaged = scene.copy("spam", 2)
    manifest = packaged / "bundle" / "manifest.json"
    manifest.write_text(
        re.sub(r'"scikit-learn": "[^"]+"', '"scikit-learn": "0.1"', manifest.read_text())
    )
    scene.promote("spam", 2, packaged)


def _tampered_with(scene: Scene) -> None:
    commit = scene.promote("spam", 2)
    model = scene.root / "hub" / repo_id(NAMESPACE, "spam") / "commits" / commit
    path = model / "bundle" / MODEL_FILE
    path.write_bytes(path.read_bytes()[:-10])


def _a_link(scene: Scene) -> None:
    commit = scene.promote("spam", 2)
    folder = scene.root / "hub" / repo_id(NAMESPACE, "spam") / "commits" / commit / "bundle"
    (folder / MODEL_FILE).rename(scene.root / "elsewhere")
    (folder / MODEL_FILE).symlink_to(scene.root / "elsewhere")


def _thresholds_at_odds(scene: Scene) -> None:
    packaged = scene.root / "odd"
    make_release(packaged, "spam", thresholds=Thresholds(review=0.1, block=0.2))
    scene.promote("spam", 2, packaged)


REFUSALS = [
    (_another_kind, "format", "kind 'toxicity', not 'spam'"),
    (_another_library, "library_version", "scikit-learn 0.1"),
    (_tampered_with, "hub", "damaged"),
    (_a_link, "hub", "not a plain file"),
    (_thresholds_at_odds, "settings", "CAREERLENS_SPAM_REVIEW_THRESHOLD"),
]


@pytest.mark.parametrize(("spoil", "reason", "words"), REFUSALS)
def test_what_may_not_answer_is_named_and_counted_once_and_the_old_model_goes_on(
    scene: Scene, spoil: Callable[[Scene], None], reason: str, words: str
) -> None:
    worker = scene.worker(spam_review_threshold=0.6)
    before = worker.champions.current()
    spoil(scene)
    for _ in range(3):
        worker.look()
        shown = worker.report()
        assert words in str(shown["error"])
        assert shown["refused"] in ("v2", scene.hub.resolve(repo_id(NAMESPACE, "spam"), MAIN))
        assert not shown["stale"]
        assert worker.version() == "v1"
        assert worker.champions.current() is before
    assert worker.counted("careerlens_model_refusals_total") == 1
    assert worker.counted("careerlens_model_refusals_total", kind="spam", reason=reason) == 1

    scene.promote("spam", 3)
    worker.look()
    shown = worker.report()
    assert (worker.version(), shown["error"], shown["refused"]) == ("v3", None, None)


def test_what_was_refused_is_not_fetched_again(remote: Scene, standin: HubServer) -> None:
    worker = remote.worker()
    _another_kind(remote)
    worker.look()
    assert worker.report()["refused"] == "v2"
    asked = len(standin.calls)
    worker.look()
    assert len(standin.calls) - asked == len(KINDS)
    assert worker.report()["refused"] == "v2"


def _main_at_what_its_tag_is_not(scene: Scene) -> str:
    """Promote v2, then have the tag v2 name another commit; return that of ``main``."""
    repo = repo_id(NAMESPACE, "spam")
    commit = scene.promote("spam", 2)
    content = scene.hub.refs(repo)
    moved = content.model_copy(update={"tags": content.tags | {"v2": content.tags["v1"]}})
    (scene.root / "hub" / repo / "refs.json").write_text(moved.model_dump_json())
    return commit


def test_main_at_what_its_tag_is_not_is_refused(scene: Scene) -> None:
    worker = scene.worker()
    commit = _main_at_what_its_tag_is_not(scene)
    worker.look()
    assert (worker.version(), worker.report()["refused"]) == ("v1", "v2")
    assert "gives the name v2" in worker.report()["error"]
    assert scene.hub.resolve(repo_id(NAMESPACE, "spam"), MAIN) == commit


def test_a_pinned_tag_that_leads_to_another_version_is_refused(scene: Scene) -> None:
    _main_at_what_its_tag_is_not(scene)
    shown = scene.worker(spam_revision="v2").report()
    assert (shown["version"], shown["refused"]) == (None, "v1")
    assert "has v1 with the digest" in shown["error"]
    assert "CAREERLENS_SPAM_REVISION asks for v2" in shown["error"]


def test_a_copy_that_was_refused_is_not_what_a_pin_means_while_the_hub_is_away(
    scene: Scene,
) -> None:
    worker = scene.worker()
    commit = _main_at_what_its_tag_is_not(scene)
    worker.look()
    (scene.root / "hub").rename(scene.root / "unmounted")
    pinned = scene.worker(spam_revision="v2")
    assert pinned.report()["version"] is None
    digest = read_release(scene.shelf("spam") / commit).digest
    assert scene.worker(spam_revision=digest).report()["version"] is None
    assert scene.worker(spam_revision="v1").report()["version"] == "v1"  # this one answered


def test_a_copy_that_was_refused_leaves_the_cache(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = scene.worker()
    _another_kind(scene)
    worker.look()
    refused = scene.shelf("spam") / scene.hub.resolve(repo_id(NAMESPACE, "spam"), MAIN)
    assert refused.is_dir()  # other workers may be reading it
    monkeypatch.setattr("models.cache.REFUSED_SECONDS", 0.0)
    worker.look()
    assert not refused.exists()
    assert worker.report()["refused"] == "v2"


def test_what_answered_and_is_refused_for_other_keys_stays_in_the_cache(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.cache.REFUSED_SECONDS", 0.0)
    scene.worker().champions.stop()
    mistaken = scene.worker(trusted_keys=str(key_pair(tmp_path / "keys")[1]))
    mistaken.look()
    mistaken.champions.stop()
    assert mistaken.report()["version"] is None
    (scene.root / "hub").rename(scene.root / "unmounted")
    assert scene.worker().report()["version"] == "v1"


@pytest.mark.parametrize("env", ["production", "development"])
def test_with_trusted_keys_only_what_they_signed_answers(
    scene: Scene, tmp_path: Path, env: str
) -> None:
    (key, trusted), (foreign, _) = key_pair(tmp_path / "ours"), key_pair(tmp_path / "theirs")
    for kind in ("spam", "toxicity"):
        scene.promote(kind, 2, key=key)
    worker = scene.worker(env=env, trusted_keys=str(trusted))
    assert worker.version() == "v2"
    point(scene.hub, "spam", 1)
    worker.look()
    assert "is not signed" in worker.report()["error"]
    scene.promote("spam", 3, key=foreign)
    worker.look()
    assert "was made with the key" in worker.report()["error"]
    assert (worker.version(), worker.report()["refused"]) == ("v2", "v3")
    assert worker.counted("careerlens_model_refusals_total", reason="signature") == 2


def test_keys_are_read_once_and_count_whatever_becomes_of_their_files(
    scene: Scene, tmp_path: Path
) -> None:
    (key, trusted), (_, spoilt) = key_pair(tmp_path / "ours"), key_pair(tmp_path / "theirs")
    for kind in ("spam", "toxicity"):
        scene.promote(kind, 2, key=key)
    worker = scene.worker(trusted_keys=os.pathsep.join(map(str, (spoilt, trusted))))
    assert worker.version() == "v2"
    spoilt.write_text("no key any more")
    trusted.unlink()
    scene.promote("spam", 3, key=key)
    worker.look()
    assert (worker.version(), worker.report()["error"]) == ("v3", None)
    with pytest.raises(SettingsError, match=r"CAREERLENS_TRUSTED_KEYS: .*theirs/key\.pub"):
        Settings(trusted_keys=os.pathsep.join(map(str, (spoilt, trusted))))


def test_a_refused_champion_at_the_start_leaves_what_answered_last(scene: Scene) -> None:
    scene.worker().champions.stop()
    _another_kind(scene)
    worker = scene.worker()
    shown = worker.report()
    assert (worker.version(), shown["stale"], shown["refused"]) == ("v1", True, "v2")
    assert "kind 'toxicity'" in shown["error"]
    scene.promote("spam", 3)
    worker.look()
    assert (worker.version(), worker.report()["stale"]) == ("v3", False)


def test_what_is_refused_at_the_start_does_not_answer_from_the_cache_either(
    scene: Scene, tmp_path: Path
) -> None:
    scene.worker().champions.stop()
    _, trusted = key_pair(tmp_path / "keys")
    worker = scene.worker(trusted_keys=str(trusted))
    assert worker.report()["version"] is None
    assert "is not signed" in worker.report()["error"]
    assert not worker.report()["stale"]


def digest_of(scene: Scene, kind: str, version: int) -> str:
    return scene.hub.release(repo_id(NAMESPACE, kind), f"v{version}").digest


@pytest.mark.parametrize("by", ["v1", "digest", "sha256:digest"])
def test_a_pinned_version_answers_whatever_main_is(scene: Scene, by: str) -> None:
    scene.promote("spam", 2)
    worker = scene.worker(spam_revision=by.replace("digest", digest_of(scene, "spam", 1)))
    assert worker.version() == "v1"
    scene.promote("spam", 3)
    scene.promote("toxicity", 2)
    worker.look()
    assert (worker.version(), worker.report()["role"]) == ("v1", "pinned")
    assert (worker.version("toxicity"), worker.report("toxicity")["role"]) == ("v2", "champion")


@pytest.mark.parametrize("pin", ["v9", "sha256:" + "0" * 64])
def test_a_pin_that_is_not_there_is_an_error_naming_the_variable(scene: Scene, pin: str) -> None:
    worker = scene.worker(spam_revision=pin)
    assert worker.report()["version"] is None
    assert "CAREERLENS_SPAM_REVISION" in worker.report()["error"]
    assert worker.report("toxicity")["error"] is None


@pytest.mark.parametrize("by", ["v1", "digest"])
def test_a_pinned_version_is_found_in_the_cache_while_the_hub_is_away(
    remote: Scene, standin: HubServer, by: str
) -> None:
    worker = remote.worker()
    remote.promote("spam", 2)
    worker.look()
    pin = by.replace("digest", digest_of(remote, "spam", 1))
    standin.fail("", times=FOR_EVER, status=503)
    pinned = remote.worker(spam_revision=pin)
    assert (pinned.version(), pinned.report()["stale"]) == ("v1", True)
    standin.recover()
    pinned.look()
    assert (pinned.version(), pinned.report()["stale"]) == ("v1", False)


@pytest.mark.parametrize("cause", [MemoryError(), PermissionError(13, "denied")])
def test_what_the_machine_lacked_just_then_is_no_last_word(cause: Exception) -> None:
    error = FormatError("model.skops cannot be read")
    assert describe_failure(error).final
    error.__cause__ = cause
    assert not describe_failure(error).final


def test_a_sentence_with_a_hostile_name_can_be_shown_as_json() -> None:
    failure = describe_failure(FormatError("bundle/\ud800 is no plain file"))
    assert failure.sentence == "bundle/\\ud800 is no plain file"
