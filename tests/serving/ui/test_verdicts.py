"""Verdicts as the page shows them."""

from typing import Any

from serving.ui.verdicts import show_verdict


def verdict(language: str, supported: bool) -> dict[str, Any]:
    """Return a verdict on a harmless message."""
    part = {"score": 0.1, "threshold": 0.5, "flagged": False}
    return {
        "action": "allow",
        "language": {"code": language, "supported": supported},
        "spam": part,
        "toxicity": {**part, "categories": {"insult": 0.1}, "spans": []},
    }


def test_a_language_that_was_not_learnt_is_told_and_one_that_was_is_not() -> None:
    foreign = show_verdict("buenos días", verdict("es", False), None, {})
    assert "did not learn (es)" in foreign
    assert "did not learn" not in show_verdict("good morning", verdict("en", True), None, {})


def test_spam_is_explained_word_by_word_with_what_is_left() -> None:
    words = [{"start": 0, "end": 4, "weight": 3.0}, {"start": 5, "end": 10, "weight": -1.0}]
    reasons = {"spam": {"base": -0.5, "words": words}}
    shown = show_verdict("free lunch", verdict("en", True), reasons, {})
    assert "+3.00 for" in shown
    assert "-1.00 against" in shown
    assert "-0.50 for all the rest add up to +1.50" in shown
    assert "for all the rest" not in show_verdict("free lunch", verdict("en", True), None, {})
