import contextlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.language import Language
from models.limits import MESSAGE_CHARS
from models.moderation import SpamVerdict, ToxicityVerdict, Verdict
from serving.errors import InvalidInputError, RequestError, TooLargeError
from serving.schemas import (
    MAX_TEXTS,
    MessageLanguageAnswer,
    ModerateBatchRequest,
    ModerateRequest,
    SpamAnswer,
    ToxicityAnswer,
    VerdictAnswer,
    read_request,
)

CANARY = "canary-7f3a"


def refusal(body: bytes, shape: type = ModerateRequest) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read_request(shape, body)
    return caught.value


BAD_BODIES = {
    "nothing": (b"", "invalid_json"),
    "not json": (b"text=canary-7f3a", "invalid_json"),
    "cut short": (b'{"text": "canary-7f3a', "invalid_json"),
    "trailing": (b'{"text": "canary-7f3a"} more', "invalid_json"),
    "single quotes": (b"{'text': 'canary-7f3a'}", "invalid_json"),
    "control character": (b'{"text": "canary-7f3a\n"}', "invalid_json"),
    "bad escape": (b'{"text": "canary-7f3a\\q"}', "invalid_json"),
    "nan": (b'{"text": "canary-7f3a", "weight": NaN}', "invalid_json"),
    "nesting bomb": (b"[" * 500_000, "invalid_json"),
    "object bomb": (b'{"text":' * 100_000, "invalid_json"),
    "huge integer": (b'{"text": "canary-7f3a", "n": ' + b"9" * 5_000 + b"}", "invalid_json"),
    "not utf-8": (b'{"text": "canary-7f3a\xff"}', "invalid_utf8"),
    "surrogate bytes": (b'{"text": "canary-7f3a\xed\xa0\x80"}', "invalid_utf8"),
    "utf-16": ('{"text": "canary-7f3a"}'.encode("utf-16"), "invalid_utf8"),
    "array": (b'["canary-7f3a"]', "not_an_object"),
    "string": (b'"canary-7f3a"', "not_an_object"),
    "number": (b"7", "not_an_object"),
    "null": (b"null", "not_an_object"),
    "twice": (b'{"text": "canary-7f3a", "text": "other"}', "duplicate_key"),
    "twice, deeper": (b'{"text": "a", "x": {"canary-7f3a": 1, "canary-7f3a": 2}}', "duplicate_key"),
    "missing": (b'{"txt": "canary-7f3a"}', "missing_field"),
    "a number": (b'{"text": 7}', "wrong_type"),
    "a boolean": (b'{"text": true}', "wrong_type"),
    "a null": (b'{"text": null}', "wrong_type"),
    "a list": (b'{"text": ["canary-7f3a"]}', "wrong_type"),
    "an object": (b'{"text": {"text": "canary-7f3a"}}', "wrong_type"),
    "empty": (b'{"text": ""}', "empty_text"),
    "white space": ('{"text": " \\n\\t\u3000\u00a0"}'.encode(), "empty_text"),
    "NUL": (b'{"text": "canary-7f3a\\u0000"}', "nul_character"),
    "high surrogate": (b'{"text": "canary-7f3a \\ud83d"}', "lone_surrogate"),
    "low surrogate": (b'{"text": "canary-7f3a \\ude00 \\ud83d"}', "lone_surrogate"),
}


@pytest.mark.parametrize(("body", "code"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_breaks_a_rule_is_refused_without_an_echo(body: bytes, code: str) -> None:
    found = refusal(body)
    assert isinstance(found, InvalidInputError)
    assert found.code == code
    assert CANARY not in found.detail
    assert found.__cause__ is None
    assert found.__suppress_context__ or found.__context__ is None


def test_ten_thousand_characters_are_taken_and_one_more_is_too_large() -> None:
    longest = "😀" * MESSAGE_CHARS
    body = json.dumps({"text": longest}).encode()
    assert read_request(ModerateRequest, body).text == longest
    found = refusal(json.dumps({"text": longest + "x"}).encode())
    assert isinstance(found, TooLargeError)
    assert found.code == "text_too_long"


def test_the_operator_can_lower_the_limit() -> None:
    body = json.dumps({"text": "x" * 11}).encode()
    with pytest.raises(TooLargeError, match="text has more than 10 characters"):
        read_request(ModerateRequest, body, max_chars=10)


def test_fields_we_do_not_know_are_ignored() -> None:
    body = b'{"text": "hello", "user": {"id": 7, "tags": [1, 2.5, null]}}'
    assert read_request(ModerateRequest, body).text == "hello"


def test_a_byte_order_mark_is_ignored() -> None:
    assert read_request(ModerateRequest, b'\xef\xbb\xbf{"text": "hello"}').text == "hello"


@pytest.mark.parametrize(
    ("texts", "code", "place"),
    [
        ([], "no_texts", "texts "),
        (["fine", CANARY, ""], "empty_text", "texts[2] "),
        (["fine", 7], "wrong_type", "texts[1] "),
        (["fine", f"{CANARY}\0"], "nul_character", "texts[1] "),
        ([f"{CANARY}\ud800", "fine"], "lone_surrogate", "texts[0] "),
        (["fine", "x" * (MESSAGE_CHARS + 1)], "text_too_long", "texts[1] "),
        (["fine"] * (MAX_TEXTS + 1), "too_many_texts", "texts "),
        ("fine", "wrong_type", "texts "),
        ({"0": "fine"}, "wrong_type", "texts "),
    ],
)
def test_a_batch_is_refused_by_the_place_of_its_first_fault(
    texts: object, code: str, place: str
) -> None:
    found = refusal(json.dumps({"texts": texts}).encode(), ModerateBatchRequest)
    assert found.code == code
    assert found.detail.startswith(place)
    assert CANARY not in found.detail


def test_a_thousand_texts_are_taken_in_order() -> None:
    texts = [f"message {number}" for number in range(MAX_TEXTS)]
    body = json.dumps({"texts": texts}).encode()
    assert read_request(ModerateBatchRequest, body).texts == texts


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200))
@example("e\u0301 é ﬁ \u202eשלום 👩‍👩‍👧 \ufeff\u200b x")
def test_text_arrives_as_it_was_sent(text: str) -> None:
    for body in (json.dumps({"text": text}), json.dumps({"text": text}, ensure_ascii=False)):
        if text.strip():
            assert read_request(ModerateRequest, body.encode()).text == text
        else:
            assert refusal(body.encode()).code == "empty_text"


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    with contextlib.suppress(InvalidInputError, TooLargeError):
        read_request(ModerateRequest, body)


def test_the_answers_have_the_fields_of_the_verdicts_they_show() -> None:
    shapes = {
        MessageLanguageAnswer: Language,
        SpamAnswer: SpamVerdict,
        ToxicityAnswer: ToxicityVerdict,
        VerdictAnswer: Verdict,
    }
    for answer, verdict in shapes.items():
        assert set(answer.model_fields) == set(verdict.__dataclass_fields__)
