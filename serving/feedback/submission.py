"""What is said of a message by one author, and what became of that."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.feedback.decisions import Kind, Standing


@dataclass(frozen=True)
class Submission:
    """What one author says of one message.

    Attributes
    ----------
    labels : mapping of kind to bool
        Spam or not, toxic or not; at least one of them.
    categories : mapping of str to bool
        Kinds of toxicity, where that was spoken of.
    digests : mapping of kind to str
        The models whose verdict this corrects.
    key : str
        The name that the sender gave the request, or "".
    """

    text: str
    author: str
    is_admin: bool
    labels: Mapping[Kind, bool]
    categories: Mapping[str, bool] = field(default_factory=dict)
    digests: Mapping[Kind, str] = field(default_factory=dict)
    request_id: str | None = None
    note: str | None = None
    key: str = ""

    def fingerprint(self) -> str:
        """Return the sha256 of all that is said, whoever says it."""
        said = (
            self.text,
            sorted(self.labels.items()),
            sorted(self.categories.items()),
            sorted(self.digests.items()),
            self.request_id,
            self.note,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True)
class Receipt:
    """What became of a submission.

    Attributes
    ----------
    outcomes : mapping of kind to str
        stored, changed (the author had said otherwise) or repeated (nothing is new).
    """

    message_id: str
    standings: Mapping[Kind, Standing]
    outcomes: Mapping[Kind, str]
