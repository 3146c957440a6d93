import pandas as pd
import pytest

from models.text import group_key, reserved_key
from pipelines.clean_marks import read_marks, usable
from pipelines.raw_files import Tables

TEXT = "what a silly person"


def tables(*raters: list[tuple[str, int, int]], text: str = TEXT) -> Tables:
    """One comment, and what each of its raters marked."""
    spans = [
        {"annotation": str(number), "type": kind, "start": str(start), "end": str(end)}
        for number, marks in enumerate(raters)
        for kind, start, end in marks
    ]
    votes = [{"annotation": str(number), "comment_id": "7"} for number in range(len(raters))]
    return {
        "comments.csv": pd.DataFrame([{"comment_id": "7", "comment_text": text}]),
        "annotations.csv": pd.DataFrame(votes, columns=["annotation", "comment_id"]),
        "spans.csv": pd.DataFrame(spans, columns=["annotation", "type", "start", "end"]),
    }


def only_row(*raters: list[tuple[str, int, int]]) -> pd.Series:
    (_, row), *others = read_marks(tables(*raters)).iterrows()
    assert not others
    return row


def test_a_stretch_counts_that_half_of_those_marked_who_marked_anything() -> None:
    row = only_row([("Insult", 7, 12)], [("Insult", 7, 19)], [], [])
    assert (row["starts"], row["ends"]) == ([7], [19])
    row = only_row([("Insult", 7, 12)], [("Insult", 7, 12), ("Threat", 0, 4)], [("Insult", 7, 9)])
    assert (row["starts"], row["ends"]) == ([7], [12])


def test_stretches_apart_stay_apart_and_one_that_runs_past_the_end_is_cut() -> None:
    row = only_row([("Insult", 0, 4), ("Insult", 13, 99)])
    assert (row["starts"], row["ends"]) == ([0, 13], [4, len(TEXT)])


def test_a_category_is_the_share_of_all_raters_who_saw_it_once_each() -> None:
    row = only_row([("Insult", 0, 4), ("insu", 7, 12)], [("Other Toxicity", 0, 4)], [], [])
    assert (row["insult"], row["threat"]) == (0.25, 0.0)


def test_a_comment_that_nobody_marked_or_rated_has_no_stretch() -> None:
    assert only_row([], [])["starts"] == []
    assert read_marks(tables())["insult"].tolist() == [0.0]


def marks_of(*texts: str) -> pd.DataFrame:
    return pd.DataFrame({"text": texts, "group": list(map(group_key, texts))})


def test_what_is_scored_reserved_or_changed_by_cleaning_is_left_out() -> None:
    scored, held, damaged = "a scored comment", "a reserved comment", "fish &amp; chips"
    marks = marks_of(TEXT, scored, "A SCORED comment!", held, damaged, "write to me@mail.example")
    kept = usable(marks, {group_key(scored)}, {reserved_key(held)}, None)
    assert kept["text"].tolist() == [TEXT]


@pytest.mark.parametrize("size", [1, 2])
def test_a_sample_does_not_depend_on_the_order_of_the_rows(size: int) -> None:
    texts = ["first comment", "second comment", "third comment"]
    forward = usable(marks_of(*texts), set(), set(), size)["text"]
    backward = usable(marks_of(*texts[::-1]), set(), set(), size)["text"]
    assert len(forward) == size
    assert set(forward) == set(backward)
