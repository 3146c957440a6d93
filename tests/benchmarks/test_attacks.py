import pytest

from benchmarks.attacks import ATTACKS, disguise

TEXT = "Nobody believes your stupid excuses, Gavin"


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_disguises_and_gives_the_same_on_every_run(name: str) -> None:
    assert disguise(TEXT, name) == disguise(TEXT, name) != TEXT
