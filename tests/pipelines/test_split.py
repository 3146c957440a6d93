import random
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import group_key
from pipelines import split as stage
from pipelines.split import SHARES, SplitError, count_labels, require_labels, side_of, split
from pipelines.stage import read_json, read_table, write_table

# Fixed for ever: a change here means that models have been tested on what they learnt.
GOLDEN = {
    "Are you free for an interview on Monday?": "train",
    "You won a prize, claim at http://x.co now": "train",
    "Please send your bank details to start on Friday": "test",
    "What a pathetic answer, you fool": "train",
    "kill the process and restart it": "train",
    "Café in Łódź, naïve": "train",
    "Ｆｕｌｌ width, Сall mе": "train",
    "you\u200bare here": "train",
    "Your code is 123 456": "train",
    "שלום": "train",
    "🎉🎉🎉": "train",
    "": "test",
}

# The keys themselves: a change that happens to keep the sides above would still move other rows.
GOLDEN_KEYS = {
    "call 0800 123 now": "67b3e2f05b981860",
    "Café in Łódź, naïve": "d08815487fd67a66",
    "ｆｕｌｌ width": "39ecd459f143d752",
    "Сall mе": "ee143afbfb50a1dc",
    " you\u200bidiot": "ba643325703fabfe",
    "someone@example.com call 5550100": "3a81d1a6115a12fc",
    "12 34": "03ac674216f3e15c",
}

groups = st.text(st.sampled_from("0123456789abcdef"), min_size=16, max_size=16)


def make_table(texts: list[str], labels: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": texts,
            "label": pd.Series(labels or [0] * len(texts), dtype="int8"),
            "source": "somewhere",
            "group": [group_key(text) for text in texts],
        }
    )


@pytest.mark.parametrize(("text", "key"), GOLDEN_KEYS.items())
def test_a_text_has_the_key_it_always_had(text: str, key: str) -> None:
    assert group_key(text) == key


@pytest.mark.parametrize(("text", "side"), GOLDEN.items())
def test_a_text_stands_on_the_side_where_it_always_stood(text: str, side: str) -> None:
    assert side_of(group_key(text)) == side


def test_the_shares_are_kept() -> None:
    sides = pd.Series([side_of(f"{number:016x}") for number in range(20_000)])
    shares = sides.value_counts(normalize=True)
    for side, share in SHARES.items():
        assert shares[side] == pytest.approx(share, abs=0.01)


@given(st.lists(groups, min_size=1, max_size=30), st.lists(groups, max_size=30), st.randoms())
def test_growth_and_order_move_no_row(
    before: list[str], more: list[str], shuffler: random.Random
) -> None:
    small = pd.DataFrame({"group": before})
    grown_groups = [*before, *more]
    shuffler.shuffle(grown_groups)
    large = split(pd.DataFrame({"group": grown_groups}))
    for side, rows in split(small).items():
        assert set(rows["group"]) <= set(large[side]["group"])


@given(st.lists(groups, max_size=30))
def test_every_row_stands_on_one_side(rows: list[str]) -> None:
    sides = split(pd.DataFrame({"group": [*rows, *rows]}))
    assert sum(len(side) for side in sides.values()) == 2 * len(rows)
    seen: set[str] = set()
    for side in sides.values():
        assert not seen & set(side["group"])
        seen |= set(side["group"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Call me at 5 pm!", "call me at 11 pm"),
        ("Your code is 4711", "YOUR CODE IS: 12"),
        ("free entry", "ｆｒｅｅ  entry..."),
    ],
)
def test_near_equal_messages_stand_on_the_same_side(one: str, other: str) -> None:
    assert side_of(group_key(one)) == side_of(group_key(other))


def test_rows_keep_their_order_and_columns() -> None:
    table = make_table([f"message number {word}" for word in "abcdefghijklmnopqrstuvwxyz"])
    for rows in split(table).values():
        assert rows["text"].tolist() == sorted(rows["text"])
        assert list(rows.columns) == list(table.columns)


def test_counts_are_per_source_side_and_label() -> None:
    train = make_table(["a", "b", "c"], [0, 1, 1])
    assert count_labels({"train": train, "test": make_table(["d"])}) == {
        "somewhere": {"train": {"0": 1, "1": 2}, "test": {"0": 1}}
    }


def test_a_side_without_one_of_the_labels_is_refused_by_name() -> None:
    sides = {"train": make_table(["a", "b"], [0, 1]), "validation": make_table(["c"])}
    with pytest.raises(SplitError, match=r"spam: .* validation \(1 rows\) has no row of label 1"):
        require_labels("spam", sides)


def test_the_stage_puts_a_text_of_both_models_on_the_same_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{first} {last}" for first in "abcdefgh" for last in "ijklmnop"]
    labels = [place % 2 for place in range(len(texts))]
    write_table(make_table(texts, labels), tmp_path / "spam.parquet")
    write_table(make_table(texts[::-1], labels), tmp_path / "toxicity.parquet")
    (tmp_path / "validate_clean.json").write_text("{}")
    words = [
        *("--spam", tmp_path / "spam.parquet", "--toxicity", tmp_path / "toxicity.parquet"),
        *("--validated", tmp_path / "validate_clean.json"),
        *("--splits", tmp_path / "splits", "--report", tmp_path / "split.json"),
    ]
    monkeypatch.setattr("sys.argv", ["split", *map(str, words)])
    stage.main()
    for side in SHARES:
        spam, toxicity = (
            read_table(tmp_path / "splits" / model / f"{side}.parquet")
            for model in ("spam", "toxicity")
        )
        assert set(spam["text"]) == set(toxicity["text"])
    report = read_json(tmp_path / "split.json")
    counted = sum(
        count
        for labels in report["models"]["spam"]["somewhere"].values()
        for count in labels.values()
    )
    assert counted == len(texts)
