"""What comes in and what goes out, and the reading of what comes in."""

import codecs
import json
from collections.abc import Callable, Mapping, Sequence
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

from models.limits import MESSAGE_CHARS
from serving.errors import InvalidInputError, RequestError, TooLargeError

#: Most texts of one batch.
MAX_TEXTS = 1_000


def text_rules(limit: str, default: int) -> Callable[[str, ValidationInfo], str]:
    """Return what checks a text from outside.

    Parameters
    ----------
    limit : str
        The name under which the context of a validation has the most characters.
    default : int
        How many when it has none.
    """

    def check(text: str, info: ValidationInfo) -> str:
        most = (info.context or {}).get(limit, default)
        if len(text) > most:
            raise PydanticCustomError(
                "text_too_long", "has more than {limit} characters", {"limit": most}
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

    return check


Message = Annotated[
    str,
    Field(strict=True),
    AfterValidator(text_rules("max_chars", MESSAGE_CHARS)),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": MESSAGE_CHARS,
            "pattern": r"\S",
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


class MessageLanguageAnswer(BaseModel):
    """The language of a message, null where nobody can tell, and whether the models learnt it."""

    code: str | None
    supported: bool


class VerdictAnswer(BaseModel):
    """What to do with one message, and why."""

    action: Literal["allow", "review", "block"]
    language: MessageLanguageAnswer
    spam: SpamAnswer
    toxicity: ToxicityAnswer


class ModerateAnswer(VerdictAnswer):
    """A verdict and the request it answers."""

    request_id: str


class ReasonsAnswer(SpamAnswer):
    """One model's score and what it is made of: ``base`` and the weights add up to its logit.

    ``words`` are those that carry the most, for (above 0) or against.
    """

    words: list[SpanAnswer]
    base: float


class ExplainAnswer(BaseModel):
    """Why both models score a message as they do, flagged or not."""

    spam: ReasonsAnswer
    toxicity: ReasonsAnswer
    request_id: str


class ModerateBatchAnswer(BaseModel):
    """The verdicts, in the order of the texts."""

    results: list[VerdictAnswer]
    request_id: str


class ModelAnswer(BaseModel):
    """One model; null where it is not loaded, and then ``error`` says why.

    With a version and an ``error``, that version answers, and not the one that shall: ``refused``
    names it if the hub does. ``stale`` means that the hub does not say, or that the version comes
    from before the refused one. ``previous`` is kept in memory, ``challenger`` is in shadow.
    """

    name: str
    kind: str
    version: str | None
    digest: str | None
    commit: str | None
    loaded_at: str | None
    role: Literal["champion", "pinned"]
    error: str | None
    stale: bool
    refused: str | None
    previous: str | None
    challenger: str | None


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


def read_request(shape: type[_Request], body: bytes, **limits: int) -> _Request:
    """Return ``body``, a JSON object, as a request of ``shape``.

    Parameters
    ----------
    limits : int
        Most characters, by the names that the texts of ``shape`` go by: ``max_chars`` and others.

    Raises
    ------
    InvalidInputError, TooLargeError
        Saying which rule is broken and where, and never what the body holds.
    """
    return validate(shape, read_object(body), **limits)


def validate(shape: type[_Request], content: Mapping[str, Any], **limits: int) -> _Request:
    """Return ``content`` as a request of ``shape``; see :func:`read_request`."""
    try:
        return shape.model_validate(content, context=limits)
    except ValidationError as error:
        [fault, *_] = error.errors(include_input=False)
        refusal = _refusal(fault["type"], fault["loc"], fault["msg"], is_ours="url" not in fault)
    raise refusal  # out here, so that pydantic's error, which holds the input, is not its context


def read_object(body: bytes) -> dict[str, Any]:
    """Return ``body`` as the JSON object that it must be.

    Raises
    ------
    InvalidInputError
    """
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        raise InvalidInputError("the body is not UTF-8", "invalid_utf8") from None
    content = read_json(text, "the body")
    if not isinstance(content, dict):
        raise InvalidInputError("the body must be a JSON object", "not_an_object")
    return content


def read_json(text: str, place: str) -> Any:
    """Return what ``text`` says in JSON; ``place`` is its name in errors.

    Raises
    ------
    InvalidInputError
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise InvalidInputError(f"{place} is nested too deeply", "invalid_json") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInputError(f"{place} is not valid JSON at {where}", "invalid_json") from None
    except ValueError:  # Python refuses integers of more than 4,300 digits
        raise InvalidInputError(
            f"{place} holds a number that is too long", "invalid_json"
        ) from None


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # two readers could take two different values for the message
        raise InvalidInputError("an object of the JSON has one key twice", "duplicate_key")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidInputError("NaN and Infinity are not JSON", "invalid_json")


# Made once: json.loads would make one for each body.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_duplicates, parse_constant=_refuse_constant
)

# pydantic's names of what can be wrong, with our code and words; its own would show the input.
_FAULTS: dict[str, tuple[type[RequestError], str, str]] = {
    "missing": (InvalidInputError, "missing_field", "is missing"),
    "string_type": (InvalidInputError, "wrong_type", "must be a string"),
    "list_type": (InvalidInputError, "wrong_type", "must be a list of strings"),
    "too_short": (InvalidInputError, "no_texts", "is empty"),
    "too_long": (TooLargeError, "too_many_texts", f"has more than {MAX_TEXTS:,} texts"),
}


def _refusal(fault: str, loc: Sequence[str | int], sentence: str, *, is_ours: bool) -> RequestError:
    """Return the error for a fault; those that pydantic has no address for are raised by us."""
    if fault == "extra_forbidden":  # the last part of the place is the caller's own word
        return InvalidInputError(f"{_place(loc[:-1])} has an unknown field", "unknown_field")
    place = _place(loc)
    if fault in _FAULTS:
        refusal, code, words = _FAULTS[fault]
        return refusal(f"{place} {words}", code)
    if fault == "text_too_long":
        return TooLargeError(f"{place} {sentence}", fault)
    if is_ours:
        return InvalidInputError(f"{place} {sentence}", fault)
    return InvalidInputError(f"{place}: {sentence[0].lower()}{sentence[1:]}", "invalid_value")


def _place(loc: Sequence[str | int]) -> str:
    if not loc:
        return "the body"
    first, *rest = loc
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)
    return f"{first}{''.join(steps)}"
