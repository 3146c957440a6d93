"""What comes in and what goes out, and the reading of what comes in."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    FailFast,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from serving.errors import InvalidInputError, RequestError, TooLargeError

#: Most characters (code points) of one text, unless the operator chose otherwise.
MAX_CHARS = 10_000

#: Most texts of one batch.
MAX_TEXTS = 1_000


def _check_message(text: str, info: ValidationInfo) -> str:
    limit = (info.context or {}).get("max_chars", MAX_CHARS)
    if len(text) > limit:
        raise PydanticCustomError(
            "text_too_long", "has more than {limit} characters", {"limit": limit}
        )
    if "\0" in text:
        raise PydanticCustomError("nul_character", "holds the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("lone_surrogate", "holds half of a surrogate pair") from None
    if not text.strip():
        raise PydanticCustomError("empty_text", "is empty")
    return text


Message = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_check_message),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_CHARS,
            "example": "You won a prize, claim at http://x.example now",
        }
    ),
]


class ModerateRequest(BaseModel):
    """One message. Unknown fields are ignored: ``{"text": "…"}`` stays valid for ever."""

    text: Message


class ModerateBatchRequest(BaseModel):
    """Up to 1,000 messages, each under the rules of one."""

    texts: Annotated[
        list[Message], FailFast(), Field(strict=True, min_length=1, max_length=MAX_TEXTS)
    ]


class SpamAnswer(BaseModel):
    """One model's score; ``flagged`` means at or above ``threshold``, from which we review."""

    score: float
    threshold: float
    flagged: bool
    version: str
    digest: str


class SpanAnswer(BaseModel):
    """A stretch of the raw text, in code points, and its part in the score."""

    start: int
    end: int
    weight: float


class ToxicityAnswer(SpamAnswer):
    """The same, with each category's score and the words that carried it."""

    categories: dict[str, float]
    spans: list[SpanAnswer]


class VerdictAnswer(BaseModel):
    """What to do with one message, and why."""

    action: Literal["allow", "review", "block"]
    spam: SpamAnswer
    toxicity: ToxicityAnswer


class ModerateAnswer(VerdictAnswer):
    """A verdict and the request it answers."""

    request_id: str


class ModerateBatchAnswer(BaseModel):
    """The verdicts, in the order of the texts."""

    results: list[VerdictAnswer]
    request_id: str


class ModelAnswer(BaseModel):
    """One model; null where it is not loaded, and then ``error`` says why."""

    name: str
    kind: str
    version: str | None
    digest: str | None
    commit: str | None
    loaded_at: str | None
    role: Literal["champion"]
    error: str | None


class ModelsAnswer(BaseModel):
    """What answers at present."""

    models: list[ModelAnswer]
    request_id: str


class StatusAnswer(BaseModel):
    """That the process lives, or takes requests."""

    status: Literal["alive", "ready"]
    request_id: str


class ErrorAnswer(BaseModel):
    """The one shape of everything that is refused or failed."""

    error: str
    detail: str
    request_id: str


_Request = TypeVar("_Request", bound=BaseModel)


def read_request(shape: type[_Request], body: bytes, max_chars: int = MAX_CHARS) -> _Request:
    """Return ``body``, a JSON object, as a request of ``shape``.

    Raises
    ------
    InvalidInputError, TooLargeError
        Saying which rule is broken and where, and never what the body holds.
    """
    content = _read_object(body)
    try:
        return shape.model_validate(content, context={"max_chars": max_chars})
    except ValidationError as error:
        [fault, *_] = error.errors(include_input=False, include_url=False)
        refusal = _refusal(fault["type"], _place(fault["loc"]), fault["msg"])
    raise refusal  # out here, so that pydantic's error, which holds the input, is not its context


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError("the body is not UTF-8", "invalid_utf8") from None
    try:
        content = json.loads(
            text, object_pairs_hook=_object_without_duplicates, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise InvalidInputError("the body is nested too deeply", "invalid_json") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidInputError(f"the body is not valid JSON at {place}", "invalid_json") from None
    except ValueError:  # Python refuses integers of more than 4,300 digits
        raise InvalidInputError(
            "the body holds a number that is too long", "invalid_json"
        ) from None
    if not isinstance(content, dict):
        raise InvalidInputError("the body must be a JSON object", "not_an_object")
    return content


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # two readers could take two different values for the message
        raise InvalidInputError("an object of the body has one key twice", "duplicate_key")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidInputError("NaN and Infinity are not JSON", "invalid_json")


# pydantic's names of what can be wrong, with our code and words; its own would show the input.
_FAULTS: dict[str, tuple[type[RequestError], str, str]] = {
    "missing": (InvalidInputError, "missing_field", "is missing"),
    "string_type": (InvalidInputError, "wrong_type", "must be a string"),
    "list_type": (InvalidInputError, "wrong_type", "must be a list of strings"),
    "too_short": (InvalidInputError, "no_texts", "is empty"),
    "too_long": (TooLargeError, "too_many_texts", f"has more than {MAX_TEXTS:,} texts"),
}


def _refusal(fault: str, place: str, sentence: str) -> RequestError:
    if fault in _FAULTS:
        refusal, code, words = _FAULTS[fault]
        return refusal(f"{place} {words}", code)
    if fault == "text_too_long":
        return TooLargeError(f"{place} {sentence}", fault)
    return InvalidInputError(f"{place} {sentence}", fault)  # one of _check_message


def _place(loc: Sequence[str | int]) -> str:
    field, *index = loc
    return f"{field}[{index[0]}]" if index else str(field)
