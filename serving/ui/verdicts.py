"""Verdicts on messages, as the page shows them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from serving.ui import draw

KINDS = ("spam", "toxicity")
_ACTIONS = {"allow": "Allow", "review": "Review", "block": "Block"}
_NAMES = {"spam": "Spam", "toxicity": "Toxicity"}

#: Words that are listed with what they weigh.
_WORDS = 6

Verdict = Mapping[str, Any]


def show_verdict(
    message: str, verdict: Verdict, reasons: Verdict | None, chosen: Mapping[str, float]
) -> str:
    """Return one verdict with its reasons, and what other thresholds would change.

    Parameters
    ----------
    reasons : mapping, optional
        What POST /moderate/explain says of the message, where that could be had.
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
        draw.heading("Toxic words"),
        _toxic_words(message, verdict["toxicity"]),
        *_spam_words(message, reasons),
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
    return draw.paragraph(f"{summary}.") + draw.table("Verdicts", columns, rows, wraps=True)


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
        return draw.paragraph("The thresholds that are tried would not change this.")
    said = [
        f"{_NAMES[kind].lower()} would {'' if flagged else 'not '}be flagged from {chosen[kind]:g}"
        for kind, flagged in changed.items()
    ]
    return draw.paragraph(f"With the thresholds that are tried, {' and '.join(said)}.")


def _changed(verdict: Verdict, chosen: Mapping[str, float]) -> dict[str, bool]:
    """Return by kind what would be said, where that differs from what is said."""
    said = {kind: verdict[kind]["score"] >= chosen[kind] for kind in KINDS if kind in chosen}
    return {kind: flagged for kind, flagged in said.items() if flagged != verdict[kind]["flagged"]}


def _toxic_words(message: str, toxicity: Verdict) -> str:
    if toxicity["spans"]:
        return draw.highlighted(message, toxicity["spans"])
    return draw.paragraph(
        "Words are shown for messages that are flagged as toxic; this one is not."
    )


def _spam_words(message: str, reasons: Verdict | None) -> Iterator[str]:
    """Yield what each word has to do with the spam score, flagged or not."""
    if reasons is None:
        return
    spam = reasons["spam"]
    yield draw.heading("Words for spam (red) and against it (blue)")
    yield draw.highlighted(message, spam["words"])
    words = sorted(spam["words"], key=lambda word: -abs(word["weight"]))[:_WORDS]
    most = max((abs(word["weight"]) for word in words), default=0.0) or 1.0
    yield from (
        draw.bar(
            message[word["start"] : word["end"]],
            abs(word["weight"]) / most,
            f"{word['weight']:+.2f} {'for' if word['weight'] > 0 else 'against'}",
            kind="cl-over" if word["weight"] > 0 else "",
        )
        for word in words
    )
    logit = spam["base"] + sum(word["weight"] for word in spam["words"])
    yield draw.paragraph(
        f"The marked words and {spam['base']:+.2f} for all the rest add up to {logit:+.2f}, "
        "the logit of the score."
    )
