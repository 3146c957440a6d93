"""What a skills model marks in tagged postings, and how well, for both kinds of spans and each."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from models.metrics import Figure
from models.params import EvaluateParams
from models.skill_model import SkillModel
from models.span_metrics import Place, span_counts, span_figures
from models.tagger import LABELS, Label, TaggedSpan, TaggedText
from models.taxonomy import Category
from pipelines.intervals import Rows

#: What is scored: both kinds of spans without telling them apart, and each alone.
LAYERS: Mapping[str, tuple[Label, ...]] = {
    "both": LABELS,
    **{label: (label,) for label in LABELS},
}

Marker = Callable[[str], Sequence[TaggedSpan]]


def markers(model: SkillModel) -> dict[str, Marker]:
    """Return what is compared: the phrases of the model as it ships, and its taxonomy alone.

    The taxonomy does not tell what people do from what they know: its traits count as the first,
    all else as the second. Its matches are not added to the tagger's spans: the tagger looks at
    them, and in cross-validation both together were less exact than it is alone.
    """

    def by_taxonomy(text: str) -> list[TaggedSpan]:
        return [
            TaggedSpan(start, end, _label(skill.category))
            for skill, start, end in model.matcher.mentions(text)
        ]

    shipped = by_taxonomy if model.tagger is None else model.tagger.tag
    return {"shipped": shipped, "taxonomy_alone": by_taxonomy}


def layer_counts(texts: Sequence[TaggedText], mark: Marker) -> dict[str, Rows]:
    """Return for each of ``LAYERS`` the counts of every text: see :mod:`models.span_metrics`."""
    return {layer: span_counts(gold, found) for layer, (gold, found) in _sides(texts, mark).items()}


def layer_figures(
    texts: Sequence[TaggedText], mark: Marker, params: EvaluateParams
) -> dict[str, dict[str, Figure]]:
    """Return for each of ``LAYERS`` precision, recall and F1, with intervals over the texts."""
    return {
        layer: span_figures(gold, found, resamples=params.bootstrap, seed=params.seed)
        for layer, (gold, found) in _sides(texts, mark).items()
    }


def _sides(
    texts: Sequence[TaggedText], mark: Marker
) -> dict[str, tuple[list[list[Place]], list[list[Place]]]]:
    """Return for each layer the places that people marked, and those that ``mark`` does."""
    marked = [mark(each.text) for each in texts]
    return {
        layer: (
            [each.places(*labels) for each in texts],
            [_places(spans, labels) for spans in marked],
        )
        for layer, labels in LAYERS.items()
    }


def _places(spans: Iterable[TaggedSpan], labels: Sequence[Label]) -> list[Place]:
    return [(span.start, span.end) for span in spans if span.label in labels]


def _label(category: Category) -> Label:
    return "skill" if category == "soft" else "knowledge"
