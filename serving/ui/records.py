"""What is on record of the models, as the page shows it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from serving.ui import charts, draw

Part = Mapping[str, Any]

_CURVES: Mapping[str, tuple[str, tuple[str, str]]] = {
    "roc": ("ROC", ("false positive rate", "true positive rate")),
    "precision_recall": ("Precision and recall", ("recall", "precision")),
    "reliability": ("Reliability", ("predicted", "observed")),
}

#: Figures that stand for all of a model, the first that it has; what the gate looks at.
_MAIN = ("mcc", "precision_at_10", "strict_f1", "listed_recall")

#: Of figures, where the first letter alone would not do.
_SHORT = {"auc", "ece", "f1", "mcc", "mrr"}

#: Slices that are drawn of each model.
_MOST_SLICES = 30


def show_record(record: Part, now: datetime) -> str:
    """Return all there is of one model, to be unfolded."""
    versions = record["versions"]
    pieces = [
        _versions(versions, now),
        *(piece for piece in (_figures(versions), _charts(versions)) if piece),
        *_slices(versions),
        draw.heading("Champion and challenger"),
        *_comparison(record["comparison"]),
        _shadow(record["shadow"]),
        draw.heading("Promotions"),
        _promotions(record["promotions"]),
    ]
    if record["notes"]:
        pieces += [draw.heading("What could not be had"), draw.points(record["notes"])]
    return draw.fold(_title(record), *pieces, is_open=record["kind"] == "spam")


def show_drift(drift: Part | None) -> str:
    """Return the last report on drift."""
    if drift is None:
        return draw.paragraph(
            "No report is here. python -m pipelines.drift writes one, and CAREERLENS_REPORTS says "
            "where."
        )
    rows = [
        (
            f"{kind} {found['version']}",
            check["figure"].replace("_", " "),
            check["measure"].upper(),
            f"{check['value']:.3f}",
            check["verdict"],
        )
        for kind, found in drift["kinds"].items()
        for check in found["checks"]
    ]
    said = [
        f"{kind} {found['version']}: {found['verdict']}, {found['log']['rows']:,} messages from "
        f"{_minute(found['log']['first'])} to {_minute(found['log']['last'])}"
        for kind, found in drift["kinds"].items()
    ]
    return (
        draw.paragraph(f"{drift['verdict'].capitalize()}, written {_minute(drift['written'])}.")
        + draw.points(said)
        + draw.table("Checks", ("Model", "Figure", "Measure", "Value", "Verdict"), rows)
    )


def age(when: str | None, now: datetime) -> str:
    """Return how long ago a moment was."""
    if not when:
        return ""
    try:
        minutes = int((now - datetime.fromisoformat(when)).total_seconds() // 60)
    except (ValueError, TypeError):  # a release may say anything
        return when
    if minutes < 120:
        return f"{minutes} min ago"
    hours = minutes // 60
    return f"{hours} h ago" if hours < 48 else f"{hours // 24} days ago"


def _title(record: Part) -> str:
    answering = [version for version in record["versions"] if version["answers"]]
    title = str(record["kind"]).capitalize()
    for version in answering:
        title += f" {version['version']}"
        if (evaluation := version["evaluation"]) and (name := _main_figure(evaluation)):
            title += f", {_words(name)} {_figure(evaluation['headline'][name])}"
    return title if answering else f"{title}, no version"


def _versions(versions: Sequence[Part], now: datetime) -> str:
    rows = [
        (
            version["role"],
            version["version"],
            "yes" if version["answers"] else "no",
            age(version["created"], now),
            version["digest"][:12],
            version["commit"][:12],
        )
        for version in versions
    ]
    return draw.table("Versions", ("Role", "Version", "Answers", "Age", "Digest", "Commit"), rows)


def _evaluated(versions: Sequence[Part]) -> dict[str, Part]:
    """Return what the bundles say of their tests, by role and version."""
    return {
        f"{version['role']} {version['version']}": version["evaluation"]
        for version in versions
        if version["evaluation"] is not None
    }


def _figures(versions: Sequence[Part]) -> str:
    found = _evaluated(versions)
    if not found:
        return draw.paragraph("No figures are in the bundle.")
    names = dict.fromkeys(name for part in found.values() for name in part["headline"])
    rows = [
        (_words(name), *(_figure(part["headline"].get(name)) for part in found.values()))
        for name in names
    ]
    of = "; ".join(
        f"{name} on {part['rows'] or 0:,} rows of the {part['corpus']} corpus"
        for name, part in found.items()
    )
    return draw.paragraph(f"Tested: {of}.") + draw.table(
        "Figures and 95 % intervals", ("Figure", *found), rows
    )


def _charts(versions: Sequence[Part]) -> str:
    found = {name: part for name, part in _evaluated(versions).items() if part["curves"]}
    drawn = [
        charts.curves(title, axes, lines, _said(title, lines))
        for curve, (title, axes) in _CURVES.items()
        if (lines := _lines(found, curve))
    ]
    counts = [
        draw.table(
            f"{name}, {threshold}",
            ("Test rows", "Below", "Above"),
            [
                (kind, *(f"{count:,}" for count in row))
                for kind, row in zip(("Clean", "Not clean"), table, strict=True)
            ],
        )
        for name, part in found.items()
        for threshold, table in (part["confusion"] or {}).items()
    ]
    return draw.side_by_side(drawn) + draw.side_by_side(counts)


def _lines(found: Mapping[str, Part], curve: str) -> dict[str, charts.Points]:
    """Return the points of one curve of each version that has it."""
    return {name: part["curves"][curve] for name, part in found.items() if curve in part["curves"]}


def _said(title: str, lines: Mapping[str, charts.Points]) -> str:
    ends = "; ".join(
        f"{name} from {points[0][1]:.2f} to {points[-1][1]:.2f}" for name, points in lines.items()
    )
    return f"{title}: {ends}"


def _slices(versions: Sequence[Part]) -> Iterator[str]:
    """Yield the main figure of each slice of what answers, as bars."""
    for name, part in list(_evaluated(versions).items())[:1]:
        slices = {key: each for key, each in part["slices"].items() if each["figures"]}
        if not slices:
            return
        figure = _main_figure(part)
        bars = [
            charts.interval(f"{_slice(key)} ({each['rows']:,})", **shown)
            for key, each in list(slices.items())[:_MOST_SLICES]
            if (shown := each["figures"].get(figure)) is not None
        ]
        if bars:
            yield draw.heading(f"{_words(figure)} by slice, {name}")
            yield from bars


def _main_figure(evaluation: Part) -> str:
    """Return the name of the figure that stands for all of them, nothing if there is none."""
    names = [name for name in _MAIN if name in evaluation["headline"]]
    return next(iter((*names, *evaluation["headline"])), "")


def _comparison(found: Part | None) -> Iterator[str]:
    if found is None:
        yield draw.paragraph(
            "No comparison is here. python -m pipelines.compare writes one with --report, and "
            "CAREERLENS_REPORTS says where."
        )
        return
    sides = {side: found["versions"][side]["version"] for side in ("champion", "challenger")}
    may = "may" if found["decision"]["accepted"] else "may not"
    changes = found["disagreements"]
    yield draw.paragraph(
        f"{sides['challenger']} {may} replace {sides['champion']}: compared "
        f"{_minute(found['written'])} on the same rows, it answers {changes['better']:,} better "
        f"and {changes['worse']:,} worse."
    )
    if found["decision"]["reasons"]:
        yield draw.points(found["decision"]["reasons"])
    rows = [
        (_words(name), *(_figure(both[side]) for side in sides))
        for name, both in found["metrics"].items()
    ]
    columns = ("Figure", *(f"{side} {version}" for side, version in sides.items()))
    yield draw.table("Compared on the same rows", columns, rows)


def _shadow(shadow: Part | None) -> str:
    if shadow is None:
        return draw.paragraph("No candidate is scored in shadow.")
    whole = shadow["agree"] + shadow["disagree"]
    return draw.paragraph(
        f"In shadow since the service started: {whole:,} messages, {shadow['disagree']:,} flagged "
        f"otherwise, scores {shadow['mean_shift']:.4f} apart on average."
    )


def _promotions(promotions: Sequence[Part]) -> str:
    rows = [
        (
            _minute(each["when"]),
            f"{each['before'] or 'none'} to {each['to']}",
            each["who"],
            _reason(each),
        )
        for each in promotions
    ]
    if not rows:
        return draw.paragraph("None yet.")
    return draw.table("The newest first", ("When", "From and to", "Who", "Why"), rows, wraps=True)


def _reason(promotion: Part) -> str:
    if promotion["rolled_back"]:
        return f"rolled back: {promotion['rolled_back']}"
    if promotion["forced"]:
        return f"by force: {promotion['forced']}"
    if promotion["reasons"]:
        return "; ".join(promotion["reasons"])
    return f"{promotion['checks']} checks passed" if promotion["checks"] else "no check"


def _figure(figure: Part | None) -> str:
    return "" if figure is None else charts.figure(**figure)


def _slice(name: str) -> str:
    return name.replace("_", " ").replace("/", ": ", 1)


def _words(name: str) -> str:
    words = name.replace("_", " ").replace("/", ", ").split(" ")
    said = " ".join(word.upper() if word in _SHORT else word for word in words)
    return said[:1].upper() + said[1:]


def _minute(when: str) -> str:
    return when[:16].replace("T", " ")
