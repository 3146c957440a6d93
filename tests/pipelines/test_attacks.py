import random
from collections.abc import Mapping

import pytest

from benchmarks import attacks as tested
from pipelines import attacks as trained

TEXT = "Nobody believes your stupid excuses, Gavin"


def pairs(table: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(letter, glyph) for letter, glyphs in table.items() for glyph in glyphs}


def test_no_character_stands_for_a_letter_in_training_and_in_the_benchmark() -> None:
    assert pairs(trained.HOMOGLYPHS).isdisjoint(pairs(tested.HOMOGLYPHS))
    assert trained.LEET.items().isdisjoint(tested.LEET.items())
    assert set(trained.INVISIBLE).isdisjoint(tested.INVISIBLE)


@pytest.mark.parametrize("name", trained.ATTACKS)
def test_a_training_attack_disguises_and_gives_the_same_for_the_same_seed(name: str) -> None:
    attack = trained.ATTACKS[name]
    first, second = (attack(TEXT, random.Random(7)) for _ in range(2))
    assert first == second != TEXT


@pytest.mark.parametrize("name", tested.ATTACKS)
def test_a_benchmark_attack_disguises_and_gives_the_same_on_every_run(name: str) -> None:
    assert tested.disguise(TEXT, name) == tested.disguise(TEXT, name) != TEXT


def test_a_training_row_is_disguised_the_same_on_every_run() -> None:
    assert trained.disguise(TEXT) == trained.disguise(TEXT) != TEXT
