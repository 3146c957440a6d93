"""Model cards and the report: the figures as Markdown that a person can read."""

from collections.abc import Mapping
from typing import Any

from models.bundle import Source

_ABOUT = {
    "spam": (
        "Tells spam from ordinary messages in the chat of a job platform: "
        "multinomial Naive Bayes over word and character TF-IDF.",
        "text-classification",
    ),
    "toxicity": (
        "Tells toxic from ordinary messages in the chat of a job platform, with a score for "
        "insult, threat, obscene and identity_attack: Logistic Regression over word and "
        "character TF-IDF.",
        "text-classification",
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


def metrics_tables(metrics: Mapping[str, Any]) -> str:
    """Return a model's figures as Markdown tables: all test rows, slices, sets and heads."""
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
    return "\n".join(lines) + "\n"


def model_card(
    model: str, digest: str, metrics: Mapping[str, Any], sources: Mapping[str, Source]
) -> str:
    """Return the model card, with the front matter the Hugging Face Hub reads.

    References
    ----------
    Mitchell et al. 2019, "Model cards for model reporting".
    """
    about, task = _ABOUT[model]
    data = "\n".join(f"- `{name}`: {source.licence}" for name, source in sources.items())
    return f"""---
language: en
library_name: skops
pipeline_tag: {task}
tags: [careerlens, {model}, tf-idf, scikit-learn]
---
# careerlens-{model}

{about}

Bundle digest `{digest}`. Load it with `models.bundle.load_bundle`, which checks hashes, library
versions, types and golden rows before it answers.

## Meant for
Ranking and flagging short English messages for a moderator. Not for other languages, for deciding
about people, or as the only ground for a ban.

## Data and licences
{_STARTER_NOTE if metrics["corpus"] == "starter" else ""}{data}

## Quality
{metrics_tables(metrics)}"""


def report(
    metrics: Mapping[str, Mapping[str, Any]], clean: Mapping[str, Any], split: Mapping[str, Any]
) -> str:
    """Return the report of one run of the pipeline.

    Parameters
    ----------
    metrics : dict
        Model name to the content of its ``metrics.json``.
    clean, split : dict
        The content of ``data/reports/clean.json`` and ``data/reports/split.json``.
    """
    parts = [f"# Report: {clean['corpus']} corpus\n"]
    if clean["corpus"] == "starter":
        parts.append(_STARTER_NOTE)
    parts += [f"## {model}\n\n{metrics_tables(figures)}" for model, figures in metrics.items()]
    parts += ["## Data\n", _cleaning_table(clean), _split_table(split)]
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
    if clean["corpus"] == "public" and clean["reserved"] is None:
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
