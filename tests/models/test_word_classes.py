"""Words of the same company share a class, and rare or lonely ones have none."""

from itertools import product

from models.word_classes import learn_company

DEEDS = ("build", "design", "test")
THINGS = ("services", "reports", "features")
SENTENCES = [
    ["you", "will", deed, "our", thing, "with", "us"] for deed, thing in product(DEEDS, THINGS)
]


def test_words_of_the_same_company_share_a_class() -> None:
    classes = learn_company(SENTENCES, (4, 50), 1).classes
    for alike in (DEEDS, THINGS):
        assert len({classes[word] for word in alike}) == 1
    assert classes["build"] != classes["services"]


def test_each_partition_by_each_kind_of_company_gives_a_word_one_class() -> None:
    classes = learn_company(SENTENCES, (2, 4), 1).classes
    assert {len(each) for each in classes.values()} == {4}
    for coarse in (0, 2):
        assert {each[coarse] for each in classes.values()} == {0, 1}


def test_rare_words_belong_to_no_class() -> None:
    assert set(learn_company(SENTENCES, (2,), 9).classes) == {"you", "will", "our", "with", "us"}


def test_vectors_of_words_of_the_same_company_are_alike() -> None:
    company = learn_company(SENTENCES, (2,), 1)
    assert company.vectors.shape[0] == len(company.classes)
    vectors = dict(zip(company.classes, company.vectors.astype(float), strict=True))
    alike = vectors["build"] @ vectors["design"]
    assert alike > 1.9 > 1.0 > abs(vectors["build"] @ vectors["services"])


def test_too_little_text_says_nothing_of_words() -> None:
    for sentences in ([], [["alone"]], [["a", "b"]]):
        company = learn_company(sentences, (2,), 5)
        assert company.classes == {}
        assert company.vectors.size == 0
