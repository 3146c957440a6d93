from pathlib import Path

import pytest
from scipy.special import expit

from models.bundle import load_bundle
from models.kinds import FORMATS
from models.manifest import Thresholds
from models.moderation import Moderator, ServedModel
from models.scoring import score_texts
from models.skops_file import dumps


def moderator(
    releases: dict[str, Path],
    spam: tuple[float, float] = (0.5, 0.9),
    toxicity: tuple[float, float] = (0.5, 0.9),
) -> Moderator:
    def served(kind: str, bounds: tuple[float, float]) -> ServedModel:
        loaded = load_bundle(releases[kind] / "bundle", FORMATS[kind])  # type: ignore[index]
        return ServedModel(loaded, "v7", Thresholds(review=bounds[0], block=bounds[1]))

    return Moderator(served("spam", spam), served("toxicity", toxicity))


def test_a_verdict_is_the_offline_pipelines_score_and_names_its_versions(
    tiny_bundles: dict[str, Path],
) -> None:
    judge = moderator(tiny_bundles)
    text = "You won a prize, claim at http://x.example now"
    (verdict,) = judge.moderate([text])
    assert verdict.spam.score == score_texts(judge.spam.bundle.model, [text])[0, 0]
    assert verdict.toxicity.score == score_texts(judge.toxicity.bundle.model, [text])[0, 0]
    assert verdict.spam.flagged
    assert (verdict.spam.version, verdict.spam.digest) == ("v7", judge.spam.bundle.digest)
    assert list(verdict.toxicity.categories) == ["insult", "threat", "obscene", "identity_attack"]


@pytest.mark.parametrize(
    ("spam", "toxicity", "action"),
    [
        ((1.0, 1.0), (1.0, 1.0), "allow"),
        ((0.0, 1.0), (1.0, 1.0), "review"),
        ((1.0, 1.0), (0.0, 1.0), "review"),
        ((0.0, 0.0), (0.0, 1.0), "block"),
        ((1.0, 1.0), (0.0, 0.0), "block"),
    ],
)
def test_the_action_is_the_worst_of_both_models(
    tiny_bundles: dict[str, Path],
    spam: tuple[float, float],
    toxicity: tuple[float, float],
    action: str,
) -> None:
    (verdict,) = moderator(tiny_bundles, spam, toxicity).moderate(["hello there"])
    assert verdict.action == action


GERMAN = "Wir treffen uns am Montag um zehn Uhr vor dem Bahnhof"


@pytest.mark.parametrize(
    ("text", "bounds", "action"),
    [
        (GERMAN, (0.0, 0.0), "review"),
        (GERMAN, (0.0, 1.0), "review"),
        (GERMAN, (1.0, 1.0), "review"),
        ("Guten Morgen, wie geht es dir?", (0.0, 0.0), "review"),
        ("Guten Morgen, wie geht es dir?", (1.0, 1.0), "allow"),
    ],
)
def test_a_language_the_models_did_not_learn_blocks_nothing_and_is_shown_beyond_a_greeting(
    tiny_bundles: dict[str, Path], text: str, bounds: tuple[float, float], action: str
) -> None:
    (verdict,) = moderator(tiny_bundles, bounds, bounds).moderate([text])
    assert (verdict.language.code, verdict.language.supported) == ("de", False)
    assert verdict.action == action


def test_spans_show_the_words_that_carried_a_flagged_message(
    tiny_bundles: dict[str, Path],
) -> None:
    text = "hello 😀 you stupid idiot"
    flagged, passed = moderator(tiny_bundles).moderate([text, "see you on Monday"])
    words = {text[span.start : span.end] for span in flagged.toxicity.spans}
    assert "idiot" in words
    assert "hello" not in words
    assert passed.toxicity.spans == []


def test_a_long_flagged_message_has_spans_too(tiny_bundles: dict[str, Path]) -> None:
    (verdict,) = moderator(tiny_bundles).moderate(["you stupid idiot " * 200])
    assert verdict.toxicity.flagged
    assert 1 <= len(verdict.toxicity.spans) <= 50


@pytest.mark.parametrize(
    "text", ["You won a prize!  Claim it, you idiot 😀", "prize " * 3 + "a b c " * 60]
)
def test_an_explanation_adds_up_to_the_scores_of_the_verdict(
    tiny_bundles: dict[str, Path], text: str
) -> None:
    judge = moderator(tiny_bundles)
    [verdict], explained = judge.moderate([text]), judge.explain(text)
    for said, why in ((verdict.spam, explained.spam), (verdict.toxicity, explained.toxicity)):
        assert (why.score, why.flagged, why.digest) == (said.score, said.flagged, said.digest)
        assert len(why.words) <= 50
        logit = why.base + sum(word.weight for word in why.words)
        assert expit(logit) == pytest.approx(said.score, abs=1e-12)
    heaviest = max(explained.spam.words, key=lambda word: word.weight)
    assert text[heaviest.start : heaviest.end] == "prize"


def test_a_batch_gives_what_each_text_gives_alone(tiny_bundles: dict[str, Path]) -> None:
    judge = moderator(tiny_bundles)
    texts = ["hello", "you idiot", "", "win a prize", "😀"]
    together = judge.moderate(texts)
    for text, verdict in zip(texts, together, strict=True):
        (alone,) = judge.moderate([text])
        assert alone.action == verdict.action
        assert alone.spam.score == pytest.approx(verdict.spam.score, abs=1e-12)
        assert alone.toxicity.score == pytest.approx(verdict.toxicity.score, abs=1e-12)
    assert judge.moderate([]) == []


def test_moderating_leaves_the_models_as_they_were(tiny_bundles: dict[str, Path]) -> None:
    judge = moderator(tiny_bundles)
    before = dumps(judge.toxicity.bundle.model)
    judge.moderate(["you idiot", "new words entirely"])
    assert dumps(judge.toxicity.bundle.model) == before
