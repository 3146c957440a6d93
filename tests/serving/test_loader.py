import io
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.compiled import CompiledModel
from models.compiled_bundle import load_text_bundle
from models.hub import LocalHub, repo_id
from models.manifest import KINDS, MANIFEST, Kind, Thresholds
from models.native_cache import COMPLETE, FOLDER_VARIABLE, folder
from models.text_model import MODEL_FILE
from serving.compiling import Compiling
from serving.errors import NotReadyError
from serving.loader import Champions
from serving.logs import open_log
from serving.metrics import Metrics
from serving.releases import choose_thresholds
from serving.setting_error import SettingsError
from serving.settings import Settings
from serving.snapshot import TEXT_KINDS
from tests.factories import make_release, tiny_pipeline
from tests.serving.champions import NAMESPACE, promote
from tests.serving.here import Here


class Loading:
    """Champions being loaded from a hub of the test's own."""

    def __init__(self, hub: LocalHub, cache: Path) -> None:
        self.stream = io.StringIO()
        self.here = Here()
        workshop: Any = self.here
        self.champions = Champions(
            Settings(hub=str(hub), cache=cache),
            open_log("info", self.stream),
            Metrics(),
            workshop,
            show_challenger=lambda *_: None,
        )
        self.champions.start()

    def errors(self) -> dict[str, str | None]:
        return {report["kind"]: report["error"] for report in self.champions.reports()}

    def wait(self, kind: str, word: str | None) -> None:
        """Wait until ``kind`` is loaded, or its error has ``word``."""
        deadline = time.monotonic() + 30
        while True:
            error = self.errors()[kind]
            if (error is None) if word is None else (error is not None and word in error):
                return
            assert time.monotonic() < deadline, self.errors()
            time.sleep(0.02)

    def reports(self) -> dict[str, dict[str, Any]]:
        return {report["kind"]: report for report in self.champions.reports()}

    def ready(self) -> bool:
        try:
            self.champions.check_ready()
        except NotReadyError:
            return False
        return True

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 30
        while not self.ready():
            assert time.monotonic() < deadline, self.errors()
            time.sleep(0.02)


@pytest.fixture
def own_hub(hub: LocalHub, tmp_path: Path) -> LocalHub:
    """A copy of the hub that a test may change."""
    shutil.copytree(hub.root, tmp_path / "hub")
    return LocalHub(tmp_path / "hub")


@pytest.fixture
def loadings() -> Iterator[list[Loading]]:
    started: list[Loading] = []
    yield started
    for loading in started:
        loading.champions.stop()


def start(loadings: list[Loading], hub: LocalHub, cache: Path) -> Loading:
    loadings.append(Loading(hub, cache))
    return loadings[-1]


def main_folder(hub: LocalHub, kind: str) -> Path:
    repo = repo_id(NAMESPACE, kind)
    return hub.root / repo / "commits" / hub.refs(repo).branches["main"]


def test_champions_are_loaded_and_scored_with(
    hub: LocalHub, tmp_path: Path, loadings: list[Loading]
) -> None:
    loading = start(loadings, hub, tmp_path / "cache")
    loading.wait_ready()
    models = loading.champions.current()
    [verdict] = models.moderator().moderate(["Claim your free prize now"])
    assert (verdict.spam.version, verdict.toxicity.version) == ("v1", "v2")
    assert {kind: each["version"] for kind, each in models.versions(*KINDS).items()} == {
        "spam": "v1",
        "toxicity": "v2",
        "skills": "v3",
        "matching": "v4",
    }


def test_an_empty_hub_is_asked_again_until_something_is_published(
    tiny_bundles: dict[str, Path], tmp_path: Path, loadings: list[Loading]
) -> None:
    hub = LocalHub(tmp_path / "hub")
    loading = start(loadings, hub, tmp_path / "cache")
    loading.wait("spam", "no repository")
    with pytest.raises(NotReadyError, match="spam, toxicity"):
        loading.champions.current().moderator()
    with pytest.raises(NotReadyError, match="skills"):
        loading.champions.current().skills()
    with pytest.raises(NotReadyError, match="matching"):
        loading.champions.current().jobs()
    for kind in KINDS:
        promote(hub, kind, tiny_bundles[kind], 1, tmp_path / "scratch")
    loading.wait_ready()
    assert loading.errors() == dict.fromkeys(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_one_missing_champion_is_enough_to_be_not_ready(
    own_hub: LocalHub, tmp_path: Path, loadings: list[Loading], kind: Kind
) -> None:
    shutil.rmtree(own_hub.root / repo_id(NAMESPACE, kind))
    loading = start(loadings, own_hub, tmp_path / "cache")
    for other in KINDS:
        loading.wait(other, "no repository" if other == kind else None)
    assert not loading.ready()


def test_messages_are_judged_while_the_job_index_is_missing(
    own_hub: LocalHub, tmp_path: Path, loadings: list[Loading]
) -> None:
    shutil.rmtree(own_hub.root / repo_id(NAMESPACE, "matching"))
    loading = start(loadings, own_hub, tmp_path / "cache")
    loading.wait("skills", None)
    assert loading.champions.current().moderator().moderate(["hello"])
    assert loading.champions.current().skills()
    with pytest.raises(NotReadyError, match="matching"):
        loading.champions.current().jobs()


@pytest.mark.parametrize("name", [MODEL_FILE, MANIFEST])
def test_a_file_tampered_with_in_the_hub_is_never_loaded(
    own_hub: LocalHub, tmp_path: Path, loadings: list[Loading], name: str
) -> None:
    tampered = main_folder(own_hub, "spam") / "bundle" / name
    tampered.write_bytes(tampered.read_bytes().replace(b"s", b"z", 1))
    loading = start(loadings, own_hub, tmp_path / "cache")
    loading.wait("spam", "damaged")
    loading.wait("toxicity", None)
    assert not loading.ready()


def test_a_file_tampered_with_in_the_cache_is_fetched_again(
    hub: LocalHub, tmp_path: Path, loadings: list[Loading]
) -> None:
    cache = tmp_path / "cache"
    fetched = hub.fetch(repo_id(NAMESPACE, "spam"), "main", cache)
    model = fetched.path / "bundle" / MODEL_FILE
    good = model.read_bytes()
    model.write_bytes(good.replace(b"s", b"z", 1))
    loading = start(loadings, hub, cache)
    loading.wait_ready()
    assert model.read_bytes() == good


def test_a_bundle_of_another_kind_is_never_loaded(
    own_hub: LocalHub, tiny_bundles: dict[str, Path], tmp_path: Path, loadings: list[Loading]
) -> None:
    (tmp_path / "scratch").mkdir()
    mixed = tmp_path / "mixed"
    shutil.copytree(tiny_bundles["toxicity"], mixed)
    promote(own_hub, "spam", mixed, 9, tmp_path / "scratch")
    loading = start(loadings, own_hub, tmp_path / "cache")
    loading.wait("spam", "kind 'toxicity', not 'spam'")
    assert not loading.ready()


def test_a_failure_is_logged_once_and_not_at_every_try(
    tmp_path: Path, loadings: list[Loading]
) -> None:
    loading = start(loadings, LocalHub(tmp_path / "hub"), tmp_path / "cache")
    loading.wait("toxicity", "no repository")
    time.sleep(1.2)  # two more tries
    events = [json.loads(line) for line in loading.stream.getvalue().splitlines()]
    assert [event["kind"] for event in events if event["event"] == "hub does not say"] == [*KINDS]


def test_the_operators_threshold_takes_the_place_of_the_bundles() -> None:
    chosen = Thresholds(review=0.5, block=0.9)
    settings = Settings(spam_review_threshold=0.7)
    assert choose_thresholds("spam", chosen, settings) == Thresholds(review=0.7, block=0.9)
    assert choose_thresholds("toxicity", chosen, settings) == chosen


def test_a_threshold_that_the_bundle_contradicts_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="CAREERLENS_SPAM_REVIEW_THRESHOLD"):
        choose_thresholds(
            "spam", Thresholds(review=0.5, block=0.6), Settings(spam_review_threshold=0.7)
        )


def test_a_model_made_by_another_library_is_reported_with_the_remedy(
    tmp_path: Path, loadings: list[Loading]
) -> None:
    hub = LocalHub(tmp_path / "hub")
    packaged = tmp_path / "packaged"
    make_release(packaged, "spam")
    manifest = packaged / "bundle" / MANIFEST
    content = json.loads(manifest.read_text())
    content["libraries"]["scikit-learn"] = "0.1"
    manifest.write_text(json.dumps(content))
    promote(hub, "spam", packaged, 1, tmp_path / "scratch")
    loading = start(loadings, hub, tmp_path / "cache")
    loading.wait("spam", "made with scikit-learn 0.1")
    assert "retrain" in str(loading.errors()["spam"])


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for compiled kernels in which there are none, and nobody who compiles them."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "kernels"))
    monkeypatch.setattr(Compiling, "start", lambda _: None)
    folder.cache_clear()
    folder().mkdir(parents=True)
    yield folder()
    monkeypatch.undo()
    folder.cache_clear()


def forms(loading: Loading) -> dict[str, bool]:
    """Return of each text model whether compiled code scores with it."""
    models = loading.champions.current().models
    return {kind: isinstance(models[kind].bundle.model, CompiledModel) for kind in TEXT_KINDS}


def test_libraries_answer_until_the_kernels_are_compiled(
    hub: LocalHub, tmp_path: Path, loadings: list[Loading], kernels: Path
) -> None:
    loading = start(loadings, hub, tmp_path / "cache")
    loading.wait_ready()
    text = "You idiot, claim your free prize now at http://win.example"
    assert forms(loading) == {"spam": False, "toxicity": False}
    index, skills = (
        loading.champions.current().models[kind].bundle.model for kind in ("matching", "skills")
    )
    assert not index.is_prepared
    assert not skills.is_prepared
    [before] = loading.champions.current().moderator().moderate([text])
    (kernels / COMPLETE).touch()
    loading.champions.refresh().result(150)
    loading.champions.refresh().result(150)
    assert forms(loading) == {"spam": True, "toxicity": True}
    assert loading.champions.current().models["matching"].bundle.model is index
    assert index.is_prepared
    assert skills.is_prepared
    [after] = loading.champions.current().moderator().moderate([text])
    assert after.spam.score == pytest.approx(before.spam.score, abs=1e-9)
    assert after.toxicity.categories == pytest.approx(before.toxicity.categories, abs=1e-9)
    assert after.action == before.action
    assert [(span.start, span.end) for span in after.toxicity.spans] == [
        (span.start, span.end) for span in before.toxicity.spans
    ]
    assert {kind: report["version"] for kind, report in loading.reports().items()} == {
        "spam": "v1",
        "toxicity": "v2",
        "skills": "v3",
        "matching": "v4",
    }


def test_a_model_that_compiled_code_does_not_know_is_scored_by_scikit_learn(
    tmp_path: Path,
    loadings: list[Loading],
    kernels: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (kernels / COMPLETE).touch()
    model = tiny_pipeline("spam")
    model["tfidf"].transformer_list[1][1].norm = None
    monkeypatch.setattr("tests.factories.tiny_model", lambda *_: model)
    make_release(tmp_path / "packaged", "spam")
    hub = LocalHub(tmp_path / "hub")
    promote(hub, "spam", tmp_path / "packaged", 1, tmp_path / "scratch")
    loading = start(loadings, hub, tmp_path / "cache")
    loading.wait("spam", None)
    for _ in range(2):
        loading.champions.refresh().result(150)
    assert not isinstance(loading.champions.current().models["spam"].bundle.model, CompiledModel)
    said = [each.message for each in caplog.records if "scored by scikit-learn" in each.message]
    assert len(said) == 1
    assert "norm" in said[0]


def test_a_compiled_model_that_answers_otherwise_than_was_recorded_never_does(
    tiny_bundles: dict[Kind, Path], kernels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kernels / COMPLETE).touch()
    place = tiny_bundles["spam"] / "bundle"
    loaded = load_text_bundle(place, "spam")
    assert isinstance(loaded.model, CompiledModel)
    moved = replace(loaded.model, intercepts=loaded.model.intercepts + 0.01)
    monkeypatch.setattr("models.compiled_bundle.read_model", lambda *_: moved)
    assert not isinstance(load_text_bundle(place, "spam").model, CompiledModel)
