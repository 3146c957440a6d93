"""What is said of a model: in GET /models, and of what went wrong with it."""

import re
from dataclasses import dataclass
from typing import Any

from models.errors import BundleError, CareerlensError
from serving.logs import where_raised
from serving.setting_error import SettingsError

# A hub that means harm chooses some of the words.
_LONGEST = 600


@dataclass(frozen=True)
class ModelReport:
    """What GET /models says about one model.

    Attributes
    ----------
    role : str
        ``champion``, or ``pinned`` where the operator chose the version.
    error : str or None
        Why nothing answers, or why it is not what the hub says it shall be.
    stale : bool
        What answers comes from the cache or from before, while the hub does not say what shall.
    refused : str or None
        The version that shall answer and may not, or its commit where it does not say.
    previous : str or None
        The version before this one, kept in memory.
    challenger : str or None
        The version in shadow.
    """

    name: str
    kind: str
    version: str | None = None
    digest: str | None = None
    commit: str | None = None
    loaded_at: str | None = None
    role: str = "champion"
    error: str | None = "not loaded yet"
    stale: bool = False
    refused: str | None = None
    previous: str | None = None
    challenger: str | None = None


@dataclass(frozen=True)
class Failure:
    """What went wrong.

    Attributes
    ----------
    reason : str
        One word for each error class of ours, for metrics.
    sentence : str
        For people.
    place : list of str or None
        Where it was raised, if nobody foresaw it.
    final : bool
        Whether it lies in the bundle or in our settings, and so stays whatever the hub does.
    """

    reason: str
    sentence: str
    place: list[str] | None
    final: bool

    def fields(self) -> dict[str, Any]:
        """Return what the log says of it."""
        return {"error": self.sentence, "reason": self.reason, "place": self.place}


def describe_failure(error: Exception) -> Failure:
    """Return what is said of ``error``: of those that are not ours, nothing they quote."""
    if not isinstance(error, CareerlensError | SettingsError):
        sentence = f"unexpected {type(error).__name__}; the log has the place"
        return Failure("unexpected", sentence, where_raised(error), final=False)
    public = next(base.__name__ for base in type(error).__mro__ if base.__name__[0] != "_")
    reason = re.sub(r"(?<!^)(?=[A-Z])", "_", public.removesuffix("Error")).lower()
    # Names in a hostile bundle may hold what no JSON can.
    sentence = str(error).encode("utf-8", "backslashreplace").decode()[:_LONGEST]
    # What the machine lacked just then, it may have at the next look.
    passing = isinstance(error.__cause__, OSError | MemoryError)
    final = isinstance(error, BundleError | SettingsError) and not passing
    return Failure(reason, sentence, None, final)
