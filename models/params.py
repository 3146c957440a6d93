"""params.yaml as frozen pydantic models; an unknown or wrong key is an error."""

import sys
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.errors import ParamsError
from models.tagger_params import TaggerParams

Corpus = Literal["starter", "public"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0)]

# Sections of models; models.manifest.Kind has the same names.
_KINDS = frozenset({"spam", "toxicity", "skills", "matching"})


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataParams(_Section):
    """Which data to train on."""

    corpus: Corpus
    exclude_licences: tuple[str, ...] = ()
    sample: Annotated[int, Field(ge=1)] | None = None


class ToxicSpansParams(_Section):
    """How raters' votes of the toxic_spans source become labels."""

    toxic_max_doubt: Share
    clean_min_doubt: Share
    category_min_share: Share


class CleanParams(_Section):
    """What the clean stage keeps."""

    min_chars: Annotated[int, Field(ge=1)]
    max_chars: Annotated[int, Field(ge=1)]
    toxic_spans: ToxicSpansParams


class NormaliseParams(_Section):
    """Optional rules of :func:`models.text.normalise`."""

    tokens: bool
    respell: bool
    identity: bool


class NgramParams(_Section):
    """One n-gram family: lengths (lowest, highest) and least document frequency."""

    ngrams: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1, le=8)]]
    min_df: Annotated[int, Field(ge=1)]


class TfidfParams(_Section):
    """The vectoriser: word and character n-grams side by side."""

    word: NgramParams
    char: NgramParams
    sublinear_tf: bool


class NaiveBayesParams(_Section):
    """The spam classifier."""

    family: Literal["multinomial", "complement"]
    alpha: Annotated[float, Field(gt=0.0)]
    class_weight: Literal["none", "balanced"]


class ToxicityClassifierParams(_Section):
    """The toxicity classifier: inverse penalty of the main head and of the categories' heads."""

    C: Annotated[float, Field(gt=0.0)]
    category_c: Annotated[float, Field(gt=0.0)]
    class_weight: Literal["none", "balanced"]


class MarksParams(_Section):
    """What is learnt from comments in which people marked words.

    Attributes
    ----------
    ordinary_weight : float
        Weight of a row of another source beside a marked comment, for the categories' heads.
    C, least, gap : float
        Of the span head; see :class:`models.spans.SpanHead`.
    """

    ordinary_weight: Weight
    C: Annotated[float, Field(gt=0.0)]
    least: float
    gap: Weight


class BudgetParams(_Section):
    """Share of clean validation rows that may reach each threshold."""

    review: Share
    block: Share


class _TextModelParams(_Section):
    normalise: NormaliseParams
    tfidf: TfidfParams
    source_weights: dict[str, Annotated[float, Field(ge=0.0)]]
    budgets: dict[Corpus, BudgetParams]
    floors: dict[Corpus, dict[str, float]]


class SpamParams(_TextModelParams):
    """Everything about the spam model.

    ``scaling`` is the power of the class ratios by which terms weigh more, or less.
    """

    classifier: NaiveBayesParams
    scaling: dict[Corpus, Annotated[float, Field(ge=0.0)]]


class ToxicityParams(_TextModelParams):
    """Everything about the toxicity model.

    ``scaling`` is the power of the class ratios by which the main head's features are scaled.
    """

    classifier: ToxicityClassifierParams
    scaling: dict[Corpus, Annotated[float, Field(ge=0.0)]]
    marks: MarksParams


class IndexParams(_Section):
    """How the job index is built.

    Attributes
    ----------
    min_df : int
        Postings a term or role gram must occur in; those of fewer cannot connect anything.
    title_weight, pair_weight, skill_weight : float
        Weight of a term of the title, of a pair of words, of a skill, beside a word's 1.
    usual_weight : float
        Weight of the terms usual for the role of a posting's title, beside its own words.
    usual_terms : int
        How many of them are added.
    role_share : float
        The role block's part of the score.
    coherence : float
        How much more a term weighs whose postings have similar titles; 0 is plain TF-IDF.
    duplicate_cosine : float
        Postings with one title and company are one job from this cosine on.
    """

    min_df: Annotated[int, Field(ge=1)] = 2
    title_weight: Weight = 2.0
    pair_weight: Weight = 0.5
    skill_weight: Weight = 0.5
    usual_weight: Weight = 1.0
    usual_terms: Annotated[int, Field(ge=0)] = 40
    role_share: Share = 0.2
    coherence: Weight = 0.25
    duplicate_cosine: Share = 0.95


class SkillsParams(_Section):
    """Everything about the skills model.

    Attributes
    ----------
    extend_with : tuple of str
        Sources of phrases that are added to the taxonomy where the corpus has them.
    tagger : TaggerParams
    """

    extend_with: tuple[str, ...]
    tagger: TaggerParams
    floors: dict[Corpus, dict[str, float]]


class MatchingParams(_Section):
    """Everything about the job index; its size decides how rare a term may be."""

    index: dict[Corpus, IndexParams]
    floors: dict[Corpus, dict[str, float]]


class EvaluateParams(_Section):
    """Bootstrap resamples of each interval, and their seed."""

    bootstrap: Annotated[int, Field(ge=10)]
    seed: int


class GainParams(_Section):
    """What counts as better in the main metric of one kind.

    Attributes
    ----------
    min_gain : float
        A smaller gain or loss makes no difference to anybody: a tie.
    tolerance : float
        The lower end of the gain's 95 % interval must be above its negative.
    """

    min_gain: Weight
    tolerance: Weight


class SliceParams(_Section):
    """How much worse slices of one family may be, and from how many rows on that is asked."""

    margin: Share
    min_rows: Annotated[int, Field(ge=1)]


class GateParams(_Section):
    """What a challenger must show to replace the champion, beside its floors.

    Attributes
    ----------
    gain : dict of kind to GainParams
    flips : float
        Significance: refused if chance alone makes so many rows worse more rarely than this.
    slices : dict of family to SliceParams
        The part of a slice's name before its first slash; other families are only shown.
    calibration : float
        By how much the expected calibration error may grow.
    latency_ratio, size_ratio : float
        At most so many times the champion's seconds per answer, and bytes.
    size_free : int
        A bundle of no more bytes than these is never too large.
    bootstrap : int
        Resamples of the gain's interval; ``seed`` is theirs.
    """

    gain: dict[str, GainParams]
    flips: Share
    slices: dict[str, SliceParams]
    calibration: Share
    latency_ratio: Annotated[float, Field(ge=1.0)]
    size_ratio: Annotated[float, Field(ge=1.0)]
    size_free: Annotated[int, Field(ge=0)]
    bootstrap: Annotated[int, Field(ge=100)]
    seed: int

    @field_validator("gain")
    @classmethod
    def _is_of_every_kind(cls, gain: dict[str, GainParams]) -> dict[str, GainParams]:
        if gain.keys() != _KINDS:
            raise ValueError(f"must say what a gain is for each of {', '.join(sorted(_KINDS))}")
        return gain


class DriftLimits(_Section):
    """From where a measure of drift is worth a notice, and an alarm."""

    notice: Annotated[float, Field(gt=0.0)]
    alarm: Annotated[float, Field(gt=0.0)]

    @model_validator(mode="after")
    def _notice_comes_first(self) -> Self:
        if self.notice > self.alarm:
            raise ValueError("notice is above alarm: what alarms is worth a notice too")
        return self


class DriftParams(_Section):
    """What of a service's traffic alarms.

    Attributes
    ----------
    min_rows, min_reference : int
        Messages of the log, and rows of the reference, below which nothing is judged.
    significance : float
        A difference that chance makes more often than this is none.
    psi, ks : DriftLimits
        Of the population stability index, and of Kolmogorov and Smirnov's statistic.
    """

    min_rows: Annotated[int, Field(ge=1)]
    min_reference: Annotated[int, Field(ge=1)]
    significance: Annotated[float, Field(gt=0.0, lt=1.0)]
    psi: DriftLimits
    ks: DriftLimits


class HubParams(_Section):
    """Where versions are published: ``<namespace>/careerlens-<kind>``."""

    namespace: str


class Params(_Section):
    """The whole of params.yaml."""

    data: DataParams
    clean: CleanParams
    spam: SpamParams
    toxicity: ToxicityParams
    skills: SkillsParams
    matching: MatchingParams
    evaluate: EvaluateParams
    gate: GateParams
    drift: DriftParams
    hub: HubParams

    def text_model(self, model: str) -> SpamParams | ToxicityParams:
        """Return the section of one text model, ``spam`` or ``toxicity``."""
        sections: dict[str, SpamParams | ToxicityParams] = {
            "spam": self.spam,
            "toxicity": self.toxicity,
        }
        return sections[model]

    def floors(self, kind: str, corpus: str) -> dict[str, float]:
        """Return the least figures with which a version trained on ``corpus`` may be champion."""
        floors: dict[str, dict[str, float]] = getattr(self, kind).floors
        return floors.get(corpus, {})


def load_params(path: Path | str = "params.yaml") -> Params:
    """Read and check ``path``.

    Raises
    ------
    ParamsError
        If the file is absent, is not YAML, or has a missing, unknown or wrong key.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ParamsError(f"{path} cannot be read: {error}") from error
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise ParamsError(f"{path}: {faults}") from error


# `make train` asks first: a stage may be skipped before it reads a key that is wrong.
if __name__ == "__main__":
    try:
        load_params()
    except ParamsError as error:
        sys.exit(str(error))
