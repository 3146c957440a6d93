from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import register, track, tracking
from pipelines.tracking import Packaged, TrackingError, open_store
from tests.pipelines.results import make_result, working_in


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Packaged]]:
    """Track two results whose spam bundles differ, and return these."""
    root = tmp_path_factory.mktemp("project")
    with working_in(root):
        packaged = {}
        for name, alpha in (("first", 0.1), ("second", 0.2)):
            make_result(root, alpha=alpha)
            track.track(track.parse_args([]))
            packaged[name] = tracking.read_packaged(Path("artifacts/spam/release"))
        yield packaged


def test_a_result_becomes_one_version_however_often_it_is_registered(
    results: dict[str, Packaged],
) -> None:
    with open_store() as store:
        version, new = register.register(store, "spam", results["first"])
        assert new
        assert register.register(store, "spam", results["first"]) == (version, False)
        found = tracking.versions(store, "spam")[version]
        run = tracking.find_model_run(store, "spam", results["first"].digest)
    assert run is not None
    assert found.run_id == run.info.run_id
    assert found.source == f"{run.info.artifact_uri}/release"
    assert found.tags == {"digest": results["first"].digest, "corpus": "starter"}


def test_challenger_is_what_was_registered_last(results: dict[str, Packaged]) -> None:
    with open_store() as store:
        first, _ = register.register(store, "spam", results["first"])
        second, _ = register.register(store, "spam", results["second"])
        assert second > first
        assert tracking.alias(store, "spam", tracking.CHALLENGER) == second
        assert register.register(store, "spam", results["first"]) == (first, False)
        assert tracking.alias(store, "spam", tracking.CHALLENGER) == first


@pytest.mark.usefixtures("results")
def test_a_bundle_that_was_not_tracked_is_refused_with_the_command_that_tracks_it() -> None:
    unknown = Packaged(digest="0" * 64, corpus="starter", params="")
    with open_store() as store, pytest.raises(TrackingError, match=r"pipelines\.track"):
        register.register(store, "toxicity", unknown)


@pytest.mark.usefixtures("results")
def test_the_command_prints_a_version_for_each_model(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["register", "toxicity"])
    register.main()
    assert capsys.readouterr().out.startswith("toxicity: registered version 1 (digest ")
    monkeypatch.setattr("sys.argv", ["register", "ham"])
    with pytest.raises(SystemExit, match="no model ham"):
        register.main()
