"""What is kept of moderators' decisions, and what counts, in SQLite and in PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event

from models.text import NORMALISER_VERSION
from models.toxicity import CATEGORIES
from serving.feedback import decisions, recording, store
from serving.feedback.database import Database
from serving.feedback.decisions import Kind, Standing
from serving.feedback.errors import KeyReusedError, UnknownMessageError
from serving.feedback.submission import Receipt, Submission
from serving.feedback.tables import messages
from tests.serving.feedback_case import SECONDS, address, database

__all__ = ["address", "database"]

TEXT = "Earn money from home, write to me now"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def said(author: str, is_spam: bool = True, text: str = TEXT, **more: object) -> Submission:
    return replace(Submission(text, author, False, {"spam": is_spam}), **more)


def take_all(
    database: Database, submissions: Sequence[Submission], hours: float = 0.0
) -> list[Receipt | KeyReusedError]:
    now = NOON + timedelta(hours=hours)
    return database.run(lambda connection: recording.record(connection, submissions, now))


def receipts(answers: Sequence[Receipt | KeyReusedError]) -> list[Receipt]:
    assert all(isinstance(answer, Receipt) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Receipt)]


def found(database: Database) -> list[store.Entry]:
    return database.run(lambda connection: list(store.entries(connection)))


def take(database: Database, submission: Submission, hours: float = 0.0) -> Receipt:
    [answer] = take_all(database, [submission], hours)
    if isinstance(answer, KeyReusedError):
        raise answer
    return answer


def clear(database: Database) -> None:
    database.run(lambda connection: connection.execute(delete(messages)))


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


labelled = st.dictionaries(st.sampled_from(decisions.KINDS), st.booleans(), min_size=1)
submissions = st.builds(
    Submission,
    text=st.sampled_from([TEXT, TEXT.upper(), "another message", "and one more"]),
    author=st.sampled_from(["ann", "bob", "cat"]),
    is_admin=st.booleans(),
    labels=labelled,
    categories=st.dictionaries(st.sampled_from(CATEGORIES), st.booleans(), max_size=2),
    note=st.sampled_from([None, "seen twice"]),
    key=st.sampled_from(["", "", "k1", "k2"]),
)


@given(st.lists(submissions, max_size=4), st.lists(submissions, min_size=2, max_size=8))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_stored_together_comes_to_what_one_after_the_other_does(
    database: Database, before: list[Submission], together: list[Submission]
) -> None:
    def outcome(at_once: bool) -> object:
        clear(database)
        take_all(database, before)
        answers: list[Receipt | KeyReusedError] = []
        for number, one in enumerate(() if at_once else together):
            answers += take_all(database, [one], 1 + number / 3.6e9)
        if at_once:
            answers = take_all(database, together, 1)
        names: dict[str, int] = {}
        return [
            (names.setdefault(answer.message_id, len(names)), answer.standings, answer.outcomes)
            if isinstance(answer, Receipt)
            else str(answer)
            for answer in answers
        ], [
            (entry.text, entry.kind, entry.standing, sorted(entry.decisions, key=repr))
            for entry in found(database)
        ]

    assert outcome(at_once=True) == outcome(at_once=False)


def test_many_are_stored_by_as_many_statements_as_a_few(database: Database) -> None:
    statements: list[str] = []

    @event.listens_for(database._engine, "before_cursor_execute")
    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    def number(is_spam: bool, messages: int) -> int:
        statements.clear()
        texts = [f"of {messages}: message {number}" for number in range(messages)]
        answers = take_all(database, [said("ann", is_spam, text=text) for text in texts])
        outcome = "stored" if is_spam else "changed"
        assert [answer.outcomes for answer in receipts(answers)] == [{"spam": outcome}] * messages
        return len(statements)

    number(True, 1)  # makes the tables
    assert number(True, 50) == number(True, 2)
    assert number(False, 50) == number(False, 2)
    assert {entry.standing.status for entry in found(database)} == {"pending"}
    assert {decision.label for entry in found(database) for decision in entry.decisions} == {
        True,
        False,
    }


def test_those_who_store_the_same_in_another_order_do_not_wait_for_each_other(
    address: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.feedback.database._DEADLOCK", "none is tried again")
    rounds, texts = range(5), [f"message {number}" for number in range(200)]
    orders = {"ann": texts, "bob": texts[::-1]}
    together = Barrier(len(orders))

    def store_all(author: str) -> None:
        for number in rounds:
            given = [said(author, text=f"{number}: {text}") for text in orders[author]]
            together.wait(SECONDS)
            take_all(Database(address, SECONDS), given)

    with ThreadPoolExecutor(len(orders)) as threads:
        list(threads.map(store_all, orders))
    stored = found(database)
    assert [len(entry.decisions) for entry in stored] == [2] * len(texts) * len(rounds)


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


@pytest.fixture
def earlier(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A release before this one, that told messages apart by their capitals; undo it to upgrade."""
    with monkeypatch.context() as patch:
        patch.setattr(store, "normalise", str)
        for module in (store, recording):
            patch.setattr(module, "NORMALISER_VERSION", NORMALISER_VERSION - 1)
        yield patch


def renew(database: Database, limit: int = 100) -> int:
    return database.run(lambda connection: store.renew_keys(connection, limit))


def test_who_agrees_with_what_an_earlier_release_took_in_speaks_of_the_same_message(
    database: Database, earlier: pytest.MonkeyPatch
) -> None:
    message = take(database, said("ann")).message_id
    earlier.undo()
    assert renew(database) == 1
    receipt = take(database, said("bob", text=TEXT.upper()), hours=1)
    assert receipt.message_id == message
    assert receipt.standings["spam"] == Standing("approved", True)
    assert renew(database) == 0


def test_who_agrees_before_keys_are_new_is_brought_together_with_the_others(
    database: Database, earlier: pytest.MonkeyPatch
) -> None:
    message = take(database, said("ann")).message_id
    earlier.undo()
    other = take(database, said("bob", key="k1"), hours=1).message_id
    assert other != message
    renew(database)
    assert standings(database) == {(TEXT, "spam"): Standing("approved", True)}
    repeated = take(database, said("bob", key="k1"), hours=2)
    assert (repeated.message_id, repeated.outcomes) == (message, {"spam": "repeated"})


@pytest.mark.parametrize("first", ["now", "before"])
def test_of_two_decisions_of_one_author_the_later_counts_when_messages_become_one(
    database: Database, earlier: pytest.MonkeyPatch, first: str
) -> None:
    before, now = (0, 1) if first == "before" else (1, 0)
    take(database, said("ann", False), hours=before)
    earlier.undo()
    take(database, said("ann", True), hours=now)
    renew(database)
    [entry] = database.run(lambda connection: list(store.entries(connection)))
    assert [decision.label for decision in entry.decisions] == [first == "before"]


def test_spellings_that_were_several_messages_become_one(
    database: Database, earlier: pytest.MonkeyPatch
) -> None:
    for author, text in (("ann", TEXT), ("bob", TEXT.upper()), ("cat", TEXT.title())):
        take(database, said(author, text=text))
    take(database, said("ann", text="another message"))
    earlier.undo()
    assert [renew(database, 3), renew(database, 3)] == [3, 1]
    entries = database.run(lambda connection: list(store.entries(connection)))
    assert sorted(len(entry.decisions) for entry in entries) == [1, 3]


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
