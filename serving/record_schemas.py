"""What GET /models/record answers: each shape holds what it is read from to its bounds."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from models.manifest import Kind, Thresholds
from models.release import Promotion

#: Promotions that are shown of each model, and reasons of each.
NEWEST = 20
MAX_REASONS = 20

_MAX_FIGURES, _MAX_SLICES, _MAX_POINTS, _MAX_CHECKS = 64, 400, 400, 100

Word = Annotated[str, Field(max_length=200)]
Sentence = Annotated[str, Field(max_length=4_000)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Points = Annotated[
    list[tuple[FiniteFloat, FiniteFloat]], Field(min_length=1, max_length=_MAX_POINTS)
]


class _Read(BaseModel):
    # Files of ours say more than is shown, and a later Careerlens may say more again.
    model_config = ConfigDict(extra="ignore")


class FigureAnswer(_Read):
    """A figure on test rows, and its 95 % interval."""

    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat


Figures = Annotated[dict[Word, FigureAnswer], Field(max_length=_MAX_FIGURES)]


class SliceAnswer(_Read):
    """The figures of some of the test rows."""

    rows: Annotated[int, Field(ge=0)]
    figures: Figures


class EvaluationAnswer(_Read):
    """What a version's bundle says of its test.

    ``curves`` are points from 0 to 1, x before y; ``confusion`` is, for each threshold, rows by
    what they are (clean first) and by what is done (passed first). Both are null in bundles that
    have none.
    """

    corpus: Word
    rows: int | None = None
    headline: Figures
    slices: Annotated[dict[Word, SliceAnswer], Field(max_length=_MAX_SLICES)]
    thresholds: Thresholds | None = None
    curves: Annotated[dict[Word, Points], Field(max_length=8)] | None = None
    confusion: (
        Annotated[dict[Word, tuple[tuple[int, int], tuple[int, int]]], Field(max_length=4)] | None
    ) = None


Role = Literal["champion", "pinned", "challenger"]


class RecordedVersionAnswer(BaseModel):
    """One version: what answers (``champion`` or ``pinned``), or what the hub has beside it."""

    role: Role
    answers: bool
    version: str
    digest: str
    commit: str
    created: str
    evaluation: EvaluationAnswer | None


class PromotionAnswer(_Read):
    """One move of the hub's ``main``: who, when, from which version to which, and why.

    ``forced`` is why the gate's refusal did not count, ``rolled_back`` why it went back.
    """

    who: Word
    when: Word
    before: Word | None
    to: Word
    digest: Digest
    accepted: bool | None
    forced: Sentence | None
    rolled_back: Sentence | None
    checks: int
    reasons: Annotated[list[Sentence], Field(max_length=MAX_REASONS)]


class SideAnswer(_Read):
    """One version of a comparison."""

    version: Word
    digest: Digest


class SidesAnswer(_Read):
    """Both versions of a comparison."""

    champion: SideAnswer
    challenger: SideAnswer


class BothAnswer(_Read):
    """One figure of both, null where it could not be had."""

    champion: FigureAnswer | None
    challenger: FigureAnswer | None


class JudgedAnswer(_Read):
    """What the gate says of the challenger."""

    accepted: bool
    reasons: Annotated[list[Sentence], Field(max_length=100)]


class ChangesAnswer(_Read):
    """Rows that the challenger answers better and worse."""

    better: int
    worse: int


class ComparisonAnswer(_Read):
    """The last comparison that ``python -m pipelines.compare --report`` wrote."""

    written: datetime
    versions: SidesAnswer
    metrics: Annotated[dict[Word, BothAnswer], Field(max_length=_MAX_FIGURES)]
    decision: JudgedAnswer
    disagreements: ChangesAnswer


class ShadowAnswer(BaseModel):
    """Messages that a candidate scored too since the service started, whatever its version."""

    agree: int
    disagree: int
    mean_shift: float


class CheckAnswer(_Read):
    """One measure of drift."""

    figure: Word
    measure: Word
    value: FiniteFloat
    p_value: FiniteFloat
    verdict: Word


class LoggedAnswer(_Read):
    """The messages that were compared."""

    rows: int
    first: datetime
    last: datetime


class DriftOfKindAnswer(_Read):
    """Drift of what one model sees."""

    verdict: Word
    version: Word
    digest: Digest
    log: LoggedAnswer
    checks: Annotated[list[CheckAnswer], Field(max_length=_MAX_CHECKS)]


class DriftAnswer(_Read):
    """The last report that ``python -m pipelines.drift`` wrote."""

    written: datetime
    verdict: Word
    kinds: Annotated[dict[Word, DriftOfKindAnswer], Field(max_length=8)]


class RecordAnswer(BaseModel):
    """What is on record of one model; ``notes`` say what could not be had, and why."""

    name: str
    kind: Kind
    versions: list[RecordedVersionAnswer]
    promotions: list[PromotionAnswer]
    comparison: ComparisonAnswer | None
    shadow: ShadowAnswer | None
    notes: list[str]


class RecordsAnswer(BaseModel):
    """What is on record of all models, and how their traffic drifts; null where nobody looked."""

    models: list[RecordAnswer]
    drift: DriftAnswer | None
    notes: list[str]
    request_id: str


def evaluation_of(metrics: dict[str, Any]) -> EvaluationAnswer:
    """Return what is shown of a bundle's ``metrics.json``.

    Raises
    ------
    ValidationError
        If it is none of ours.
    """
    slices = {
        name: {
            "rows": part.get("rows"),
            "figures": {key: figure for key, figure in part.items() if isinstance(figure, dict)},
        }
        for name, part in metrics.get("slices", {}).items()
    }
    return EvaluationAnswer.model_validate(metrics | {"slices": slices})


def promotion_of(promotion: Promotion) -> PromotionAnswer:
    """Return what is shown of a line of promotions.jsonl; raises as :func:`evaluation_of`."""
    decision = promotion.decision
    checks = decision.get("checks") or []
    return PromotionAnswer(
        who=promotion.who,
        when=promotion.when,
        before=promotion.before,
        to=promotion.to,
        digest=promotion.digest,
        accepted=decision.get("accepted"),
        forced=decision.get("forced"),
        rolled_back=decision.get("reason") if decision.get("rollback") else None,
        checks=len(checks),
        reasons=(decision.get("reasons") or [])[:MAX_REASONS],
    )
