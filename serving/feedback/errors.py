"""What can go wrong with the feedback database.

FeedbackError              a command ends with the sentence
├── DatabaseError          the database is away, slow or refuses
│   └── RefusedError       it refuses what was to be stored
├── SchemaError            the tables are not those of this release
└── UnknownMessageError    no message, or several, have the id
UnavailableError           503 with Retry-After: the database is away, slow or not migrated
KeyReusedError             422: an Idempotency-Key came again with another body
"""

from models.errors import CareerlensError
from serving.errors import RequestError


class FeedbackError(CareerlensError):
    """What was asked cannot be done; the message is a sentence for the operator."""


class DatabaseError(FeedbackError):
    """The database is away, slow or refuses.

    Parameters
    ----------
    kind : str
        The name of the error's class; its message may hold what was being stored.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"the database does not do it ({kind}): see CAREERLENS_DATABASE_URL")
        self.kind = kind

    def __reduce__(self) -> tuple[type, tuple[str]]:
        """Return how it is made again elsewhere."""
        return type(self), (self.kind,)


class RefusedError(DatabaseError):
    """The database does not take what was to be stored; something else it may."""


class SchemaError(FeedbackError):
    """The database's tables are newer than this release, or cannot be brought up to it."""


class UnknownMessageError(FeedbackError):
    """No message has the id, or more than one begins with it."""


class UnavailableError(RequestError):
    """The database does not answer, or not in time."""

    status = 503
    code = "feedback_unavailable"

    def __init__(self) -> None:
        super().__init__("feedback cannot be stored now; send it again later, nothing is lost")

    def headers(self) -> list[tuple[str, str]]:
        """Return Retry-After."""
        return [("retry-after", "10")]


class KeyReusedError(RequestError):
    """The same Idempotency-Key for two different requests."""

    status = 422
    code = "idempotency_key_reused"
