"""Verdicts on messages, as the page shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.ui import draw

KINDS = ("spam", "toxicity")
_ACTIONS = {"allow": "Allow", "review": "Review", "block": "Block"}
_NAMES = {"spam": "Spam", "toxicity": "Toxicity"}

Verdict = Mapping[str, Any]


def show_verdict(message: str, verdict: Verdict, chosen: Mapping[str, float]) -> str:
    """Return one verdict with its reasons, and what other thresholds would change.

    Parameters
    ----------
    chosen : mapping of str to float
        By kind, the threshold to try.
    """
    action = verdict["action"]
    pieces = [
        f'<p class="cl-action cl-{action}">{_ACTIONS[action]}</p>',
        _language(verdict["language"]),
        draw.heading("Scores"),
        *(_score(kind, verdict[kind]) for kind in KINDS),
        _change(verdict, chosen),
        draw.heading("Kinds of toxicity"),
        *(
            draw.bar(name.replace("_", " "), score, f"{score:.3f}")
            for name, score in verdict["toxicity"]["categories"].items()
        ),
        draw.heading("Words that carried it"),
        _words(message, verdict),
    ]
    return draw.block(*pieces)


def show_table(texts: Sequence[str], verdicts: Sequence[Verdict], most_rows: int = 200) -> str:
    """Return many verdicts: how many of each action, and the first of them in a table."""
    counts = dict.fromkeys(_ACTIONS, 0)
    for verdict in verdicts:
        counts[verdict["action"]] += 1
    said = ", ".join(f"{_ACTIONS[action].lower()} {count:,}" for action, count in counts.items())
    rows = [
        (
            _ACTIONS[verdict["action"]],
            f"{verdict['spam']['score']:.3f}",
            f"{verdict['toxicity']['score']:.3f}",
            message,
        )
        for message, verdict in zip(texts[:most_rows], verdicts, strict=False)
    ]
    summary = f"{len(texts):,} messages: {said}"
    if len(texts) > most_rows:
        summary += f"; the first {most_rows:,} are shown, all are in the file"
    columns = ("Action", "Spam", "Toxicity", "Message")
    return draw.paragraph(f"{summary}.") + draw.table("Verdicts", columns, rows)


def _language(language: Mapping[str, Any]) -> str:
    if language["supported"]:
        return ""
    return draw.paragraph(
        f"This is in a language that the models did not learn ({language['code']}): "
        "their scores say little, and nothing is blocked for them."
    )


def _score(kind: str, part: Mapping[str, Any]) -> str:
    said = f"{part['score']:.3f}, review from {part['threshold']:.3f}"
    fill = "cl-over" if part["flagged"] else ""
    return draw.bar(_NAMES[kind], part["score"], said, part["threshold"], fill)


def _change(verdict: Verdict, chosen: Mapping[str, float]) -> str:
    changed = _changed(verdict, chosen)
    if not changed:
        return draw.paragraph("The thresholds chosen above would not change this.")
    said = [
        f"{_NAMES[kind].lower()} would {'' if flagged else 'not '}be flagged from {chosen[kind]:g}"
        for kind, flagged in changed.items()
    ]
    return draw.paragraph(f"With the thresholds chosen above, {' and '.join(said)}.")


def _changed(verdict: Verdict, chosen: Mapping[str, float]) -> dict[str, bool]:
    """Return by kind what would be said, where that differs from what is said."""
    said = {kind: verdict[kind]["score"] >= chosen[kind] for kind in KINDS if kind in chosen}
    return {kind: flagged for kind, flagged in said.items() if flagged != verdict[kind]["flagged"]}


def _words(message: str, verdict: Verdict) -> str:
    for kind in KINDS:
        spans = verdict[kind].get("spans")
        if spans:
            return draw.highlighted(message, spans)
    return draw.paragraph(
        "Words are shown for messages that are flagged as toxic; this one is not."
    )
