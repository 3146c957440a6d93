"""Words of the same company share a class, and rare or lonely ones have none."""

from itertools import product

from models.word_classes import learn_classes

DEEDS = ("build", "design", "test")
THINGS = ("services", "reports", "features")
SENTENCES = [
    ["you", "will", deed, "our", thing, "with", "us"] for deed, thing in product(DEEDS, THINGS)
]


def test_words_of_the_same_company_share_a_class() -> None:
    classes = learn_classes(SENTENCES, (4, 50), 1)
    for alike in (DEEDS, THINGS):
        assert len({classes[word] for word in alike}) == 1
    assert classes["build"] != classes["services"]


def test_each_partition_by_each_kind_of_company_gives_a_word_one_class() -> None:
    classes = learn_classes(SENTENCES, (2, 4), 1)
    assert {len(each) for each in classes.values()} == {4}
    for coarse in (0, 2):
        assert {each[coarse] for each in classes.values()} == {0, 1}


def test_rare_words_belong_to_no_class() -> None:
    assert set(learn_classes(SENTENCES, (2,), 9)) == {"you", "will", "our", "with", "us"}


def test_too_little_text_gives_no_classes() -> None:
    for sentences in ([], [["alone"]], [["a", "b"]]):
        assert learn_classes(sentences, (2,), 5) == {}
