"""Who calls, and what they may do."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, get_args

#: What a key can be allowed to do; each route asks for one of these, or for none.
Access = Literal["moderate", "resume", "jobs", "feedback", "admin"]
SCOPES: frozenset[Access] = frozenset(get_args(Access))


@dataclass(frozen=True)
class Caller:
    """Who sent a request.

    Attributes
    ----------
    name : str
        Of the key; several keys of one caller may share it.
    key_id : str
        Of the key, and empty for whoever needs none.
    scopes : frozenset of str
    """

    name: str
    key_id: str
    scopes: frozenset[Access]


#: Who calls where no keys are configured, and from within the process.
ANYBODY = Caller("anybody", "", SCOPES)

#: Who calls what is open to all, where there are keys.
STRANGER = Caller("stranger", "", frozenset())

#: Who sent the request being answered; the front sets it.
current_caller: ContextVar[Caller] = ContextVar("caller", default=ANYBODY)
