"""What feedback is given with, and what is answered."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from serving.feedback.decisions import Kind, Status
from serving.schemas import Message, text_rules

#: Most characters of a note.
MAX_NOTE_CHARS = 1_000

Yes = Annotated[bool, Field(strict=True)]
Digest = Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{64}$")]
MessageId = Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{32}$")]
RequestId = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
Note = Annotated[
    str,
    Field(strict=True),
    AfterValidator(text_rules("max_note_chars", MAX_NOTE_CHARS)),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NOTE_CHARS}),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CategoriesGiven(_Strict):
    """Which kinds of toxicity hold; what is left out stays unsaid."""

    insult: Yes | None = None
    threat: Yes | None = None
    obscene: Yes | None = None
    identity_attack: Yes | None = None


class DigestsGiven(_Strict):
    """The digests of a verdict, as it named them."""

    spam: Digest | None = None
    toxicity: Digest | None = None


class FeedbackRequest(_Strict):
    """What is right of one message: of spam, of toxicity, or of both.

    ``request_id`` and ``digests`` are those of the verdict that is corrected.
    """

    text: Message
    spam: Yes | None = None
    toxicity: Yes | None = None
    categories: CategoriesGiven | None = None
    request_id: RequestId | None = None
    digests: DigestsGiven | None = None
    note: Note | None = None

    @model_validator(mode="after")
    def _says_something_whole(self) -> Self:
        if self.spam is None and self.toxicity is None:
            raise PydanticCustomError("no_label", "must say spam, toxicity or both")
        holding = self.categories is not None and any(_said(self.categories).values())
        if self.categories is not None and self.toxicity is None:
            raise PydanticCustomError("no_label", "has categories, so it must say toxicity too")
        if holding and self.toxicity is False:
            raise PydanticCustomError("contradiction", "is not toxic, so no category can hold")
        return self

    def labels(self) -> dict[Kind, bool]:
        """Return what is said, by kind."""
        said: dict[Kind, bool | None] = {"spam": self.spam, "toxicity": self.toxicity}
        return {kind: label for kind, label in said.items() if label is not None}

    def said_categories(self) -> dict[str, bool]:
        """Return the categories spoken of."""
        return {} if self.categories is None else _said(self.categories)

    def said_digests(self) -> dict[Kind, str]:
        """Return the digests given."""
        return {} if self.digests is None else _said(self.digests)


class ForgetRequest(_Strict):
    """Which message shall be deleted: by its id, or by its text in any spelling."""

    id: MessageId | None = None
    text: Message | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.id is None and self.text is None:
            raise PydanticCustomError("missing_field", "must have id or text")
        if self.id is not None and self.text is not None:
            raise PydanticCustomError("both_given", "has both id and text: keep one")
        return self


class FeedbackAnswer(BaseModel):
    """What was taken in, and how the message stands by kind after it."""

    accepted: Literal[True]
    id: str
    status: dict[Kind, Status]
    request_id: str


class ForgetAnswer(BaseModel):
    """How many messages were deleted."""

    deleted: int
    request_id: str


def _said(given: BaseModel) -> dict[Any, Any]:
    return given.model_dump(exclude_none=True)
