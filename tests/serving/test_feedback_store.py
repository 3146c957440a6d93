"""What is kept of moderators' decisions, and what counts, in SQLite and in PostgreSQL."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from models.toxicity import CATEGORIES
from serving.feedback import decisions, store
from serving.feedback.database import Database
from serving.feedback.decisions import Kind, Standing
from serving.feedback.errors import KeyReusedError, UnknownMessageError
from serving.feedback.store import Receipt, Submission
from tests.serving.feedback_case import SECONDS, address, database

__all__ = ["address", "database"]

TEXT = "Earn money from home, write to me now"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def said(author: str, is_spam: bool = True, text: str = TEXT, **more: object) -> Submission:
    return replace(Submission(text, author, False, {"spam": is_spam}), **more)


def take(database: Database, submission: Submission, hours: float = 0.0) -> Receipt:
    now = NOON + timedelta(hours=hours)
    return database.run(lambda connection: store.record(connection, submission, now))


def standings(database: Database) -> dict[tuple[str, Kind], Standing]:
    found = database.run(lambda connection: list(store.entries(connection)))
    return {(entry.text, entry.kind): entry.standing for entry in found}


def standing(database: Database, kind: Kind = "spam") -> Standing:
    return standings(database)[TEXT, kind]


def test_the_categories_are_those_of_the_model() -> None:
    assert decisions.CATEGORIES == CATEGORIES


def test_a_decision_counts_once_a_second_moderator_agrees(database: Database) -> None:
    first = take(database, said("ann"))
    assert first.standings["spam"].status == "pending"
    second = take(database, said("bob"))
    assert second.standings["spam"] == Standing("approved", True)
    assert second.message_id == first.message_id


def test_a_moderator_alone_never_agrees_with_himself(database: Database) -> None:
    for text in (TEXT, TEXT.upper(), f" {TEXT} "):
        outcome = take(database, said("ann", text=text))
    assert outcome.outcomes == {"spam": "repeated"}
    assert outcome.standings["spam"].status == "pending"


def test_spellings_of_one_message_are_one_message(database: Database) -> None:
    take(database, said("ann"))
    take(database, said("bob", text=TEXT.replace("Earn", "EARN").replace(" ", "  ")))
    assert standings(database) == {(TEXT, "spam"): Standing("approved", True)}


def test_who_disagrees_holds_it_up_however_many_agree(database: Database) -> None:
    for author, is_spam in (("ann", True), ("bob", True), ("cat", False)):
        take(database, said(author, is_spam))
    assert standing(database) == Standing("disputed")


def test_a_moderator_may_change_his_mind_and_the_latest_counts(database: Database) -> None:
    take(database, said("ann", False))
    take(database, said("bob", True))
    assert standing(database).status == "disputed"
    changed = take(database, said("ann", True), hours=1)
    assert changed.outcomes == {"spam": "changed"}
    assert standing(database) == Standing("approved", True)


def test_an_admins_word_decides_and_the_last_one_if_there_are_several(database: Database) -> None:
    for author in ("ann", "bob"):
        take(database, said(author, True))
    take(database, said("chief", False, is_admin=True), hours=1)
    assert standing(database) == Standing("approved", False)
    take(database, said("owner", True, is_admin=True), hours=2)
    assert standing(database) == Standing("approved", True)


def test_spam_and_toxicity_of_one_message_stand_apart(database: Database) -> None:
    both: Mapping[Kind, bool] = {"spam": False, "toxicity": True}
    take(database, said("ann", labels=both))
    answer = take(database, said("bob"))
    assert answer.standings["spam"].status == "disputed"
    assert answer.standings["toxicity"].status == "pending"


def test_a_category_counts_where_two_speak_of_it_and_agree(database: Database) -> None:
    spoken = {"ann": {"insult": True, "threat": True, "obscene": False}}
    spoken["bob"] = {"insult": True, "threat": False, "identity_attack": True}
    for author, categories in spoken.items():
        take(database, said(author, labels={"toxicity": True}, categories=categories))
    assert standing(database, "toxicity") == Standing("approved", True, {"insult": True})


def test_an_admin_who_agrees_takes_the_categories_nobody_contradicts(database: Database) -> None:
    spoken = {"insult": True, "threat": False}
    message = take(database, said("ann", labels={"toxicity": True}, categories=spoken)).message_id
    after = database.run(
        lambda connection: store.rule(connection, message, "toxicity", True, "shell:root", NOON)
    )
    assert after == Standing("approved", True, spoken)


def test_what_an_admin_rejects_counts_no_more_whoever_agrees_later(database: Database) -> None:
    message = take(database, said("ann")).message_id
    database.run(
        lambda connection: store.rule(connection, message, "spam", None, "shell:root", NOON)
    )
    assert take(database, said("bob"), hours=1).standings["spam"] == Standing("rejected")


def test_a_ruling_on_what_nobody_decided_is_refused(database: Database) -> None:
    message = take(database, said("ann")).message_id
    with pytest.raises(UnknownMessageError, match="nobody decided on toxicity"):
        database.run(
            lambda connection: store.rule(connection, message, "toxicity", True, "root", NOON)
        )


def test_a_request_of_the_same_name_is_carried_out_once(database: Database) -> None:
    first = take(database, said("ann", True, key="k1"))
    take(database, said("ann", False, key="k2"), hours=1)
    late = take(database, said("ann", True, key="k1"), hours=2)
    assert late.message_id == first.message_id
    assert late.outcomes == {"spam": "repeated"}
    [entry] = database.run(lambda connection: list(store.entries(connection)))
    assert [decision.label for decision in entry.decisions] == [False]


def test_the_same_name_with_another_body_is_refused_and_stores_nothing(
    database: Database,
) -> None:
    take(database, said("ann", True, key="k1"))
    for other in (said("ann", False, key="k1"), said("ann", True, text="other", key="k1")):
        with pytest.raises(KeyReusedError):
            take(database, other)
    assert standing(database) == Standing("pending")
    take(database, said("bob", True, text="other", key="k1"))  # his own name for his own request


def test_what_comes_at_the_same_moment_is_all_stored(address: str, database: Database) -> None:
    authors = [f"moderator {number}" for number in range(12)]
    with ThreadPoolExecutor(len(authors)) as threads:
        receipts = list(
            threads.map(lambda author: take(Database(address, SECONDS), said(author)), authors)
        )
    assert len({receipt.message_id for receipt in receipts}) == 1
    [entry] = database.run(lambda connection: list(store.entries(connection)))
    assert sorted(decision.author for decision in entry.decisions) == sorted(authors)


def test_a_message_is_forgotten_by_id_or_in_any_spelling(database: Database) -> None:
    message = take(database, said("ann", key="k1")).message_id
    take(database, said("ann", text="another message"))
    assert database.run(lambda connection: store.forget(connection, text=TEXT.upper())) == 1
    assert database.run(lambda connection: store.forget(connection, message)) == 0
    assert set(standings(database)) == {("another message", "spam")}
    # The name of the request is free again: nothing of the message is left.
    assert take(database, said("ann", False, key="k1")).outcomes == {"spam": "stored"}


def test_a_message_is_found_word_for_word_although_texts_were_cleaned_otherwise_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(store, "normalise", str.title)
        take(database, said("ann"))
    assert database.run(lambda connection: store.forget(connection, text=TEXT)) == 1
    assert not standings(database)


def test_decisions_are_purged_by_age_and_messages_with_the_last_of_them(
    database: Database,
) -> None:
    take(database, said("ann"))
    take(database, said("bob"), hours=48)
    take(database, said("ann", text="old alone"))
    day = NOON + timedelta(hours=24)
    assert database.run(lambda connection: store.purge(connection, day, day)) == 1
    assert standings(database) == {(TEXT, "spam"): Standing("pending")}


def test_one_worker_at_a_time_has_its_turn(database: Database) -> None:
    day = timedelta(days=1)

    def turn(hours: int) -> bool:
        now = NOON + timedelta(hours=hours)
        return database.run(lambda connection: store.take_turn(connection, "purge", day, now))

    assert [turn(hours) for hours in (0, 1, 23, 25, 26, 48, 49)] == [
        *(True, False, False, True, False, False, True),
    ]


def test_an_id_is_found_by_its_beginning_if_only_one_begins_so(database: Database) -> None:
    message = take(database, said("ann")).message_id
    assert database.run(lambda connection: store.find(connection, message[:8])) == message
    for wrong in ("ffffffffffff", message[:5], "%%%%%%%", ""):
        with pytest.raises(UnknownMessageError):
            database.run(lambda connection, wrong=wrong: store.find(connection, wrong))


def test_moments_keep_their_zone(database: Database) -> None:
    take(database, said("ann"))
    [entry] = database.run(lambda connection: list(store.entries(connection)))
    assert entry.decisions[0].decided_at == NOON
