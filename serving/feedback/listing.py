"""What is stored, as tables for a terminal."""

from collections import Counter
from collections.abc import Iterable, Sequence

from serving.feedback.decisions import KINDS, STATUSES, Decision
from serving.feedback.store import Entry

#: So much of a text is shown in a line.
_SHOWN_CHARS = 100


def show_entries(shown: Sequence[Entry], count: int, *, whole: bool) -> str:
    """Return a few lines for each entry: what it is, its text, and who said what.

    Parameters
    ----------
    count : int
        How many there are, with those that are not shown.
    whole : bool
        Whether to show whole texts and notes.
    """
    if not shown:
        return "nothing waits"
    lines = []
    for entry in shown:
        lines.append(f"{entry.message_id[:12]}  {entry.kind:<8}  {entry.standing.status}")
        lines.append(f"    {_legible(entry.text, whole)}")
        lines += [f"    {_voice(entry, decision, whole)}" for decision in entry.decisions]
    if count > len(shown):
        lines.append(f"and {count - len(shown)} more: --limit")
    return "\n".join(lines)


def show_stats(entries: Iterable[Entry]) -> str:
    """Return how many messages stand how, and how many decisions correct which model."""
    standings: Counter[tuple[str, str]] = Counter()
    corrected: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        standings[entry.kind, entry.standing.status] += 1
        corrected.update((entry.kind, each.digest) for each in entry.decisions if each.digest)
    lines = ["kind      " + "".join(f"{status:>10}" for status in STATUSES)]
    lines += [
        f"{kind:<10}" + "".join(f"{standings[kind, status]:>10}" for status in STATUSES)
        for kind in KINDS
    ]
    if corrected:
        lines += ["", "model                     decisions"]
        lines += [
            f"{kind:<10}{digest[:12]:<14}{count:>11}"
            for (kind, digest), count in sorted(corrected.items())
        ]
    return "\n".join(lines)


def _voice(entry: Entry, decision: Decision, whole: bool) -> str:
    """Return who said what, when, of which model."""
    said = {None: "reject", True: entry.kind, False: f"not {entry.kind}"}[decision.label]
    named = [name if holds else f"not {name}" for name, holds in decision.categories.items()]
    words = [
        f"{decision.decided_at:%Y-%m-%d %H:%M}",
        f"{_legible(decision.author, whole=True)}{' (admin)' if decision.is_admin else ''}:",
        said + (f" ({', '.join(named)})" if named else ""),
    ]
    if decision.digest:
        words.append(f"[model {decision.digest[:12]}]")
    if decision.note:
        words.append(f"“{_legible(decision.note, whole)}”")
    return " ".join(words)


def _legible(text: str, whole: bool) -> str:
    """Return a text in one line; what could steer a terminal is spelled out."""
    plain = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return plain if whole or len(plain) <= _SHOWN_CHARS else plain[: _SHOWN_CHARS - 1] + "…"
