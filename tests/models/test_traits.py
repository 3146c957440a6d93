"""What a message is like: figures that are right, the same everywhere, and hold no text."""

from pathlib import Path

import pytest
from sklearn.pipeline import Pipeline

from models.bundle import load_bundle
from models.kinds import FORMATS
from models.manifest import Kind
from models.traits import text_traits


@pytest.fixture(scope="module")
def pipeline(tiny_bundles: dict[Kind, Path]) -> Pipeline:
    return load_bundle(tiny_bundles["spam"] / "bundle", FORMATS["spam"]).model


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("You won a prize", 0.0),
        ("YOU WON A PRÍZE", 0.0),  # as the model reads it
        ("You won a zeppelin", 0.25),
        ("zeppelin", 1.0),
        ("zeppelin zeppelin prize", pytest.approx(2 / 3)),
        ("?!...", 0.0),
        ("", 0.0),
    ],
)
def test_unknown_is_the_share_of_words_without_a_term(
    pipeline: Pipeline, text: str, unknown: float
) -> None:
    assert text_traits(pipeline, text).unknown == unknown


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("plain", 0.0),
        ("Café naïve ﬁn ｗｉｄｅ", 0.0),
        ("שלום", 1.0),
        ("ab Дa 12 😀", 0.25),
        ("😀 12", 0.0),
    ],
)
def test_other_script_is_the_share_of_letters_that_are_not_latin(
    pipeline: Pipeline, text: str, share: float
) -> None:
    assert text_traits(pipeline, text).other_script == share


def test_length_is_in_code_points_of_the_raw_text(pipeline: Pipeline) -> None:
    assert text_traits(pipeline, "  é😀  ").chars == 6
