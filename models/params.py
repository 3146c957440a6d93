"""params.yaml as frozen pydantic models; an unknown or wrong key is an error."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import ParamsError

Corpus = Literal["starter", "public"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


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
    leet: bool


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


class LogisticParams(_Section):
    """The toxicity classifier, of each head."""

    C: Annotated[float, Field(gt=0.0)]
    class_weight: Literal["none", "balanced"]


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
    """Everything about the spam model."""

    classifier: NaiveBayesParams


class ToxicityParams(_TextModelParams):
    """Everything about the toxicity model."""

    classifier: LogisticParams


class EvaluateParams(_Section):
    """Bootstrap resamples of each interval, and their seed."""

    bootstrap: Annotated[int, Field(ge=10)]
    seed: int


class HubParams(_Section):
    """Where versions are published: ``<namespace>/careerlens-<kind>``."""

    namespace: str


class Params(_Section):
    """The whole of params.yaml."""

    data: DataParams
    clean: CleanParams
    spam: SpamParams
    toxicity: ToxicityParams
    evaluate: EvaluateParams
    hub: HubParams

    def model_section(self, model: str) -> SpamParams | ToxicityParams:
        """Return the section of one text model, ``spam`` or ``toxicity``."""
        sections: dict[str, SpamParams | ToxicityParams] = {
            "spam": self.spam,
            "toxicity": self.toxicity,
        }
        return sections[model]


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
