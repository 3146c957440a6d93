"""Model cards and the report: the figures as Markdown that a person can read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.manifest import Kind, Source


@dataclass(frozen=True)
class About:
    """What a model card says of a kind: what it does, its task on the Hub, and what it is for."""

    does: str
    task: str
    library: str
    use: str


_JUDGES = (
    "Ranking and flagging short English messages for a moderator. Not for other languages, for "
    "deciding about people, or as the only ground for a ban."
)

_ABOUT: Mapping[Kind, About] = {
    "spam": About(
        "Tells spam from ordinary messages in the chat of a job platform: "
        "multinomial Naive Bayes over word and character TF-IDF.",
        "text-classification",
        "skops",
        _JUDGES,
    ),
    "toxicity": About(
        "Tells toxic from ordinary messages in the chat of a job platform, with a score for "
        "insult, threat, obscene and identity_attack: Logistic Regression over word and "
        "character TF-IDF.",
        "text-classification",
        "skops",
        _JUDGES,
    ),
    "skills": About(
        "Finds the skills that English resumes and job postings name: a taxonomy matched by "
        "Aho-Corasick with rules for everyday words and, where the corpus has labelled postings, "
        "a conditional random field for phrases.",
        "token-classification",
        "careerlens",
        "Reading out skills for people to look over, and comparing a resume with a posting. Not "
        "for rejecting anybody: a skill that is not found may be there in other words.",
    ),
    "matching": About(
        "Finds the job postings nearest to a resume, and says why: TF-IDF over terms, skills and "
        "titles, exact cosine.",
        "text-ranking",
        "careerlens",
        "Suggesting postings to a candidate. Not for ranking candidates: it compares texts, and "
        "a short resume is no worse candidate.",
    ),
}

_STARTER_NOTE = (
    "Trained on the starter corpus, written for this project: enough to start, "
    "not to judge a model by.\n"
)


def figure_text(figure: Mapping[str, float] | None) -> str:
    """Return a figure with its interval, such as ``0.961 [0.950, 0.970]``."""
    if figure is None:
        return "–"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def metrics_tables(kind: Kind, metrics: Mapping[str, Any]) -> str:
    """Return a model's figures as Markdown tables."""
    return _text_tables(metrics) if kind in ("spam", "toxicity") else _plain_tables(metrics)


def _plain_tables(metrics: Mapping[str, Any]) -> str:
    """Return the headline figures, then a table of all slices that have the same figures."""
    lines = [f"{metrics['rows']:,} rows; 95 % bootstrap intervals.", "", "| figure | value |"]
    lines += ["|---|---|"]
    lines += [f"| {_words(name)} | {figure_text(x)} |" for name, x in metrics["headline"].items()]
    tables: dict[tuple[str, ...], list[str]] = {}
    for name, part in metrics["slices"].items():
        columns = tuple(column for column in part if column != "rows")
        cells = [figure_text(part[column]) for column in columns]
        row = f"| {name} | {part['rows']:,} | " + " | ".join(cells) + " |"
        tables.setdefault(columns, []).append(row)
    for columns, rows in tables.items():
        lines += ["", "| rows of | n | " + " | ".join(map(_words, columns)) + " |"]
        lines += ["|" + "---|" * (len(columns) + 2), *rows]
    return "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("/", ", ")


def _text_tables(metrics: Mapping[str, Any]) -> str:
    """Return a text model's figures: all test rows, slices, sets and heads."""
    columns = ("auc", "f1", "mcc", "precision", "recall", "false_positive_rate", "flagged", "ece")
    groups = {
        "all test rows": {"rows": metrics["rows"], **metrics["headline"]},
        "all, at the block threshold": {"rows": metrics["rows"], **metrics["at_block"]},
    }
    groups |= metrics["slices"]
    groups |= {f"evaluation/{name}": part for name, part in metrics["evaluation"].items()}
    lines = [
        f"At the review threshold {metrics['thresholds']['review']:.3f} "
        f"(block from {metrics['thresholds']['block']:.3f}); "
        "95 % bootstrap intervals; – where one class alone is present.",
        "",
        "| rows of | n | " + " | ".join(name.replace("_", " ") for name in columns) + " |",
        "|" + "---|" * (len(columns) + 2),
    ]
    for name, part in groups.items():
        cells = [figure_text(part.get(column)) for column in columns]
        lines.append(f"| {name} | {part['rows']:,} | " + " | ".join(cells) + " |")
    if metrics["heads"]:
        lines += [
            "",
            "| category | n | positive | auc | average precision | ece |",
            "|" + "---|" * 6,
        ]
    for name, part in metrics["heads"].items():
        cells = [figure_text(part.get(column)) for column in ("auc", "average_precision", "ece")]
        lines.append(
            f"| {name} | {part['rows']:,} | {part['positives']:,} | " + " | ".join(cells) + " |"
        )
    return "\n".join(
        ["\n".join(lines) + "\n", _moved_table(metrics["moved"]), _failures(metrics["limits"])]
    )


def _moved_table(moved: Sequence[Mapping[str, Any]]) -> str:
    """Return what thresholds in other places would do, as a Markdown table."""
    lines = [
        "### What moving a threshold does",
        "",
        "On the test rows; `plots/thresholds.png` shows every place.",
        "",
        "| threshold | clean rows flagged | caught | precision |",
        "|---|---|---|---|",
    ]
    for row in moved:
        name = f" ({row['name']})" if row["name"] else ""
        precision = "–" if row["precision"] is None else f"{row['precision']:.3f}"
        lines.append(
            f"| {row['threshold']:.6g}{name} | {row['clean_flagged']:.4f} | {row['recall']:.3f} "
            f"| {precision} |"
        )
    return "\n".join(lines) + "\n"


def _failures(limits: Sequence[Mapping[str, Any]]) -> str:
    """Return the hard messages that a model decides wrongly, as a Markdown table."""
    wrong = [limit for limit in limits if not limit["right"]]
    lines = [
        "### Known failures",
        "",
        f"Of {len(limits)} messages written to be hard, {len(wrong)} are decided wrongly.",
    ]
    if wrong:
        lines += ["", "| what it is | should be | score | message |", "|---|---|---|---|"]
    for limit in wrong:
        wanted = "flagged" if limit["flagged"] else "passed"
        text = limit["text"].replace("|", "\\|")
        lines.append(f"| {limit['about']} | {wanted} | {limit['score']:.3f} | {text} |")
    return "\n".join(lines) + "\n"


def model_card(
    kind: Kind, digest: str, metrics: Mapping[str, Any], sources: Mapping[str, Source]
) -> str:
    """Return the model card, with the front matter the Hugging Face Hub reads.

    References
    ----------
    Mitchell et al. 2019, "Model cards for model reporting".
    """
    about = _ABOUT[kind]
    data = "\n".join(f"- `{name}`: {source.licence}" for name, source in sources.items())
    return f"""---
language: en
library_name: {about.library}
pipeline_tag: {about.task}
tags: [careerlens, {kind}, tf-idf]
---
# careerlens-{kind}

{about.does}

Bundle digest `{digest}`. Load it with `models.bundle.load_bundle`, which checks hashes, library
versions, types and golden rows before it answers.

## Meant for
{about.use}

## Data and licences
{_STARTER_NOTE if metrics["corpus"] == "starter" else ""}{data}

## Quality
{metrics_tables(kind, metrics)}"""


def report(
    metrics: Mapping[Kind, Mapping[str, Any]],
    parsing: Mapping[str, Any],
    cleaned: Sequence[Mapping[str, Any]],
    split: Mapping[str, Any],
    doubts: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return the report of one run of the pipeline.

    Parameters
    ----------
    metrics : dict
        Model name to the content of its ``metrics.json``.
    parsing : dict
        How well documents are read, in the shape of the other metrics.
    cleaned : sequence of dict
        The content of ``data/reports/clean.json`` and ``data/reports/clean_jobs.json``.
    split : dict
        The content of ``data/reports/split.json``.
    doubts : dict
        Text model to the content of its ``labels.json``.
    """
    clean = cleaned[0]
    parts = [f"# Report: {clean['corpus']} corpus\n"]
    if clean["corpus"] == "starter":
        parts.append(_STARTER_NOTE)
    parts += [f"## {kind}\n\n{metrics_tables(kind, figures)}" for kind, figures in metrics.items()]
    parts += [f"## reading documents\n\n{_plain_tables(parsing)}"]
    parts += ["## Data\n", *map(_cleaning_table, cleaned), _split_table(split)]
    parts += [_doubt_tables(doubts)]
    return "\n".join(parts)


def _cleaning_table(clean: Mapping[str, Any]) -> str:
    lines = ["| table | of | read | dropped | kept |", "|---|---|---|---|---|"]
    for table, parts in clean["tables"].items():
        for name, counts in parts.items():
            reasons = ", ".join(
                f"{reason.replace('_', ' ')} {rows:,}" for reason, rows in counts["dropped"].items()
            )
            lines.append(
                f"| {table} | {name} | {counts['read']:,} | {reasons or '–'} | {counts['kept']:,} |"
            )
    lines += [f"\nLeft out: {name} ({licence})" for name, licence in clean["left_out"].items()]
    if clean["corpus"] == "public" and clean.get("reserved", 0) is None:
        lines.append("\nThe list of reserved texts was not at hand; none could be dropped.")
    return "\n".join(lines) + "\n"


def _split_table(split: Mapping[str, Any]) -> str:
    lines = ["| model | source | side | negative | positive |", "|---|---|---|---|---|"]
    for model, sources in split["models"].items():
        for source, sides in sources.items():
            for side, labels in sides.items():
                cells = f"{labels.get('0', 0):,} | {labels.get('1', 0):,}"
                lines.append(f"| {model} | {source} | {side} | {cells} |")
    return "\n".join(lines) + "\n"


def _doubt_tables(doubts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return whose labels are in doubt, and what it does to weigh them less."""
    lines = ["## Labels in doubt", ""]
    lines += ["| model | source | rows | negative in doubt | positive in doubt |"]
    lines += ["|---|---|---|---|---|"]
    for model, found in doubts.items():
        for source, counts in found["sources"].items():
            cells = f"{counts['rows']:,} | {counts['negative']:,} | {counts['positive']:,}"
            lines.append(f"| {model} | {source} | {cells} |")
        lines[1] = (
            "Training rows whose label a model of the other groups gives at most "
            f"{found['at_most']:g}. What it does to halve their weight or to drop them, on "
            "validation rows, whose labels are as they are:\n"
        )
    shown = next(iter(next(iter(doubts.values()))["validation"].values()))
    lines += ["", "| model | rows in doubt | " + " | ".join(map(_words, shown)) + " |"]
    lines += ["|" + "---|" * (len(shown) + 2)]
    for model, found in doubts.items():
        for treatment, figures in found["validation"].items():
            cells = " | ".join(figure_text(figures[name]) for name in shown)
            lines.append(f"| {model} | {treatment} | {cells} |")
    return "\n".join(lines) + "\n"
