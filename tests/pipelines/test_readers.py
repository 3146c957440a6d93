from collections.abc import Callable

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from models import toxicity
from models.params import CleanParams, ToxicSpansParams
from models.text import group_key
from pipelines.raw_files import RawReadError, Tables
from pipelines.readers import CATEGORIES, READERS
from pipelines.split import side_of
from tests.pipelines.tables import table

PARAMS = CleanParams(
    min_chars=2,
    max_chars=10_000,
    toxic_spans=ToxicSpansParams(toxic_max_doubt=0.1, clean_min_doubt=0.7, category_min_share=0.5),
)


def test_the_categories_are_those_of_the_model() -> None:
    # Stated in both places: importing the model would make the data stages wait for scikit-learn.
    assert CATEGORIES == toxicity.CATEGORIES


# Spam


def test_messages_that_overflow_into_further_columns_are_joined() -> None:
    columns = ("v1", "v2", "Unnamed: 2", "Unnamed: 3", "Unnamed: 4")
    raw = table(
        *columns,
        rows=[("ham", "yes", " no", " maybe", ""), ("spam", "win, now,", "", "", "")],
    )
    rows = READERS["sms_spam_collection"]({"spam.csv": raw}, PARAMS)
    assert rows["text"].tolist() == ["yes, no, maybe", "win, now,"]
    assert rows["label"].tolist() == [0, 1]
    assert set(rows["task"]) == {"spam"}
    assert rows[list(CATEGORIES)].isna().all(axis=None)


def test_smishing_is_spam_in_whatever_case_and_keeps_its_name() -> None:
    raw = table(
        "LABEL",
        "TEXT",
        rows=[("ham", "a"), ("Smishing", "b"), ("smishing", "c"), ("Spam", "d"), ("spam", "e")],
    )
    rows = READERS["sms_phishing"]({"Dataset_5971.csv": raw}, PARAMS)
    assert rows["label"].tolist() == [0, 1, 1, 1, 1]
    assert rows["category"].tolist() == ["", "smishing", "smishing", "", ""]


def test_lost_pound_signs_and_apostrophes_are_put_back_and_no_other_character() -> None:
    raw = table(
        "LABEL", "TEXT", rows=[("ham", "don\ufffdt pay \ufffd48.84 here\ufffd.Ok\ufffdgood")]
    )
    rows = READERS["sms_phishing"]({"Dataset_5971.csv": raw}, PARAMS)
    assert rows["text"].tolist() == ["don't pay £48.84 here\ufffd.Ok\ufffdgood"]


# Toxicity, one label a row


def test_toxic_rows_of_a_source_without_categories_have_them_unknown_and_clean_rows_have_none() -> (
    None
):
    raw = table("text", "label", rows=[("fine", "0"), ("foul", "1")])
    rows = READERS["jigsaw_balanced"]({"test.csv": raw}, PARAMS)
    assert (rows.loc[0, list(CATEGORIES)] == 0).all()
    assert rows.loc[1, list(CATEGORIES)].isna().all()


def test_both_wiki_files_give_the_comments_and_not_their_parents() -> None:
    gc = table("id", "text", "parent", "label", "api", rows=[("1", "mine", "theirs", "1", "0.9")])
    gn = table("id", "text", "label", "api", "parent", rows=[("2", "other", "0", "0.1", "")])
    rows = READERS["wiki_context_toxicity"]({"gc.csv": gc, "gn.csv": gn}, PARAMS)
    assert rows["text"].tolist() == ["mine", "other"]
    assert rows["label"].tolist() == [1, 0]


def tweets(train_labels: list[str]) -> Tables:
    return {
        "train_text.txt": table("text", rows=[("one",), ("two",)]),
        "train_labels.txt": table("label", rows=[(label,) for label in train_labels]),
        "val_text.txt": table("text", rows=[("three",)]),
        "val_labels.txt": table("label", rows=[("0",)]),
    }


def test_tweets_take_the_label_of_their_line() -> None:
    rows = READERS["tweeteval_offensive"](tweets(["0", "1"]), PARAMS)
    assert dict(zip(rows["text"], rows["label"], strict=True)) == {"one": 0, "two": 1, "three": 0}


def test_texts_and_labels_of_different_number_are_refused() -> None:
    with pytest.raises(RawReadError, match=r"train_text\.txt has 2 lines and .* 1; they must"):
        READERS["tweeteval_offensive"](tweets(["0"]), PARAMS)


def test_the_bias_files_are_two_evaluation_sets() -> None:
    rows = READERS["unintended_bias"](
        {
            "toxicity_nonfuzzed_testset.csv": table(
                "rev_id", "comment", "toxic", rows=[("1", "kind", "False"), ("2", "foul", "True")]
            ),
            "en_sentence_templates.csv": table(
                "template",
                "toxicity",
                "phrase",
                rows=[("t", "nontoxic", "hug"), ("t", "toxic", "x")],
            ),
        },
        PARAMS,
    )
    assert rows["set"].tolist() == [
        "unintended_bias_nonfuzzed",
        "unintended_bias_nonfuzzed",
        "identity_templates",
        "identity_templates",
    ]
    assert rows["label"].tolist() == [0, 1, 0, 1]


# toxic_spans


def comment_votes(
    votes: str, spans: dict[int, list[str]] | None = None, text: str = "a comment"
) -> Tables:
    """One comment; ``votes`` has an n for each rater of "not toxic", a t for each other."""
    annotations = [
        (str(number), "7", str(100 + number), "X", "False", str(vote == "n"))
        for number, vote in enumerate(votes)
    ]
    marked = [
        (str(rater), kind, "0", "3") for rater, kinds in (spans or {}).items() for kind in kinds
    ]
    return {
        "comments.csv": table("comment_id", "comment_text", rows=[("7", text)]),
        "annotations.csv": table(
            *("annotation", "comment_id", "worker", "country", "all toxic", "not toxic"),
            rows=annotations,
        ),
        "spans.csv": table("annotation", "type", "start", "end", rows=marked),
        "tsd_train.csv": table("spans", "text", rows=[]),
        "tsd_trial.csv": table("spans", "text", rows=[]),
    }


def only_row(tables: Tables) -> pd.Series:
    rows = READERS["toxic_spans"](tables, PARAMS)
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("votes", "label", "dropped"),
    [
        ("ttttt", 1, ""),
        ("tttttttttn", 1, ""),  # a doubt of .1 is still toxic
        ("ttttn", 0, "raters_disagree"),
        ("tttnnnnnnn", 0, ""),  # and .7 clean
        ("nnn", 0, ""),
    ],
)
def test_votes_decide_the_label_or_drop_the_comment(votes: str, label: int, dropped: str) -> None:
    row = only_row(comment_votes(votes))
    assert (row["label"], row["dropped"]) == (label, dropped)


def test_a_comment_nobody_voted_on_is_dropped() -> None:
    tables = comment_votes("tt")
    tables["annotations.csv"]["comment_id"] = "8"
    assert only_row(tables)["dropped"] == "no_votes"


def test_a_category_holds_when_half_the_raters_marked_it_and_is_unknown_when_fewer_did() -> None:
    spans = {
        0: ["Insult", "Insult", "Identity based Attack"],
        1: ["Insu", "Other Toxicity"],
        2: ["PROFANE/obscene", ""],
    }
    row = only_row(comment_votes("tttt", spans))
    assert row["insult"] == 1
    assert pd.isna(row["identity_attack"])
    assert pd.isna(row["obscene"])
    assert row["threat"] == 0


def test_two_spans_of_one_rater_count_once() -> None:
    assert pd.isna(only_row(comment_votes("tttt", {0: ["Threat", "threat", "Threat"]}))["threat"])


def test_a_clean_comment_has_no_category_whatever_a_few_marked() -> None:
    row = only_row(comment_votes("tnnnn", {0: ["Insult"]}))
    assert (row["label"], row["insult"]) == (0, 0)


def test_semeval_copies_are_dropped_and_the_trial_is_scored_only() -> None:
    tables = comment_votes("ttt", text="seen before")
    tables["tsd_train.csv"] = table(
        "spans", "text", rows=[("[0, 1]", "seen before"), ("[]", "never seen")]
    )
    tables["tsd_trial.csv"] = table("spans", "text", rows=[("[3]", "tried"), ("[]", "harmless")])
    rows = READERS["toxic_spans"](tables, PARAMS)
    assert rows["dropped"].tolist() == ["", "copy_in_comments", "no_votes", "", "no_spans"]
    assert rows["set"].tolist() == ["", "", "", "semeval_trial", "semeval_trial"]
    assert rows["label"].tolist()[-2:] == [1, 0]


def test_spans_that_are_no_list_are_refused() -> None:
    tables = comment_votes("ttt")
    tables["tsd_trial.csv"] = table("spans", "text", rows=[("none", "tried")])
    with pytest.raises(RawReadError, match=r"tsd_trial\.csv, column 'spans': 1 rows"):
        READERS["toxic_spans"](tables, PARAMS)


# starter


def starter(*rows: tuple[str, ...]) -> pd.DataFrame:
    raw = table("text", "spam", "toxic", "category", "hard", "template", rows=list(rows))
    return READERS["starter"]({"messages.csv": raw}, PARAMS)


def test_the_public_corpus_leaves_spam_of_the_test_side_to_the_starter_models() -> None:
    raw = table(
        *("text", "spam", "toxic", "category", "hard", "template"),
        rows=[
            (f"prize {key}", "1", "0", "giveaway", "0", key * 12)
            for key in "abcdefghijklmnopqrstuvwxyz"
        ],
    )
    rows = READERS["workplace"]({"messages.csv": raw}, PARAMS)
    whole = READERS["starter"]({"messages.csv": raw}, PARAMS)
    assert_frame_equal(rows.drop(columns="dropped"), whole.drop(columns="dropped"))
    left = rows["dropped"] == "scored_as_starter"
    assert left.tolist() == [
        task == "spam" and side_of(group) == "test"
        for task, group in zip(rows["task"], rows["group"], strict=True)
    ]
    assert 0 < left.sum() < 26


def test_a_starter_message_teaches_both_models() -> None:
    rows = starter(
        ("Win!", "1", "0", "giveaway", "0", "t1"), ("Fool", "0", "1", "insult", "0", "t2")
    )
    by_task = {task: part["label"].tolist() for task, part in rows.groupby("task")}
    assert by_task == {"spam": [1, 0], "toxicity": [0, 1]}
    assert rows["category"].tolist() == ["giveaway", "insult", "giveaway", "insult"]


def test_starter_categories_come_from_the_joined_names_of_toxic_rows() -> None:
    rows = starter(
        ("a", "0", "1", "threat+identity_attack", "0", "t1"),
        ("b", "0", "0", "insult", "1", "t2"),
        ("c", "0", "1", "of_a_new_kind", "0", "t3"),
    )
    toxic = rows[rows["task"] == "toxicity"].set_index("text")[list(CATEGORIES)]
    assert toxic.loc["a"].tolist() == [0, 1, 0, 1]
    assert toxic.loc["b"].tolist() == [0, 0, 0, 0]
    assert toxic.loc["c"].isna().all()


def test_starter_messages_of_one_template_are_one_group() -> None:
    rows = starter(("a", "0", "0", "x", "0", "9f"), ("b", "0", "0", "x", "0", "9f"))
    assert set(rows["group"]) == {group_key("starter template 9f")}


# Every reader


def rename(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.rename(columns={"label": "verdict"})


def spoil(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(label=["0", "maybe"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (rename, r"test\.csv: no column 'label', only text, verdict"),
        (spoil, r"test\.csv, column 'label': label 'maybe'; expected '1', '0'"),
    ],
)
def test_a_changed_table_is_refused_by_name(
    change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    raw = change(table("text", "label", rows=[("fine", "0"), ("foul", "1")]))
    with pytest.raises(RawReadError, match=said):
        READERS["jigsaw_balanced"]({"test.csv": raw}, PARAMS)
