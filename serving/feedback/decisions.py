"""What counts: from the decisions on one message and kind to how it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["spam", "toxicity"]
KINDS: tuple[Kind, ...] = ("spam", "toxicity")

#: Those of models.toxicity, which brings scikit-learn with it.
CATEGORIES = ("insult", "threat", "obscene", "identity_attack")

#: pending: nobody else agreed yet. disputed: moderators disagree, an admin must decide.
#: rejected: an admin decided that nothing shall be learnt.
Status = Literal["pending", "disputed", "approved", "rejected"]
STATUSES: tuple[Status, ...] = ("pending", "disputed", "approved", "rejected")

#: So many different moderators must say the same.
QUORUM = 2


@dataclass(frozen=True)
class Decision:
    """What one author last said of one message.

    Attributes
    ----------
    label : bool or None
        Whether the message is spam, or toxic; None where an admin rejects what others said.
    categories : mapping of str to bool
        The kinds of toxicity that the author spoke of.
    digest : str or None
        Of the model whose verdict is corrected.
    """

    author: str
    is_admin: bool
    label: bool | None
    decided_at: datetime
    categories: Mapping[str, bool] = field(default_factory=dict)
    digest: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Standing:
    """How a message stands; ``label`` and ``categories`` are settled where it is approved."""

    status: Status
    label: bool | None = None
    categories: Mapping[str, bool] = field(default_factory=dict)


def settle(decisions: Sequence[Decision]) -> Standing:
    """Return how a message stands after ``decisions``, each author's latest, in any order.

    An admin's word decides, the last one if there are several. Otherwise all moderators must agree,
    and be two at least; a category holds where two spoke of it and nobody contradicts.
    """
    admins = [decision for decision in decisions if decision.is_admin]
    if admins:
        last = max(admins, key=lambda decision: decision.decided_at)
        if last.label is None:
            return Standing("rejected")
        return Standing("approved", last.label, last.categories)
    if len({decision.label for decision in decisions}) > 1:
        return Standing("disputed")
    if len(decisions) < QUORUM:
        return Standing("pending")
    return Standing("approved", decisions[0].label, agreed(decisions, QUORUM))


def agreed(decisions: Sequence[Decision], voices: int) -> dict[str, bool]:
    """Return the categories on which at least ``voices`` decisions say the same, and none else."""
    said: dict[str, list[bool]] = {}
    for decision in decisions:
        for category, holds in decision.categories.items():
            said.setdefault(category, []).append(holds)
    return {
        category: answers[0]
        for category, answers in sorted(said.items())
        if len(answers) >= voices and len(set(answers)) == 1
    }
