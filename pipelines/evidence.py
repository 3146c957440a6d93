"""What the gate looks at: challenger and champion answer the same rows, in one process."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from models.bundle import Bundle, load_bundle
from models.gates import Decision, Evidence, decide
from models.kinds import FORMATS
from models.manifest import Kind
from models.params import EvaluateParams, GateParams, Params
from models.skill_model import SkillModel
from pipelines.behaviour import run_suite
from pipelines.evidence_jobs import see_resumes
from pipelines.evidence_rows import Answered, EvidenceError, Given
from pipelines.evidence_skills import see_postings
from pipelines.evidence_text import see_messages
from pipelines.stage import MODELS

#: How many texts the time of one answer is measured on, and how often each of them.
_TIMED_TEXTS = 24
_TIMED_ROUNDS = 5


@dataclass(frozen=True, eq=False)
class Candidate:
    """A version whose bundle was verified and loaded, golden rows and all.

    Attributes
    ----------
    name : str
        Its version, such as ``v3``.
    size : int
        Bytes of the bundle.
    signed : bool or None
        Whether a trusted signature is there; None where none is required.
    """

    name: str
    bundle: Bundle[Any]
    size: int
    signed: bool | None = None

    @property
    def kind(self) -> Kind:
        """The kind of its model."""
        return self.bundle.manifest.kind


@dataclass(frozen=True, eq=False)
class Witness:
    """What one candidate answered, and what the gate makes of it."""

    candidate: Candidate
    answered: Answered
    evidence: Evidence


@dataclass(frozen=True, eq=False)
class Hearing:
    """Challenger and champion on the same rows."""

    given: Given
    challenger: Witness
    champion: Witness | None


def read_candidate(
    release: Path, kind: Kind, digest: str, name: str, signed: bool | None = None
) -> Candidate:
    """Return the version in ``release``, the folder that has ``bundle/``.

    Raises
    ------
    BundleError
        If the bundle is not what ``digest`` says, or does not answer its golden rows.
    """
    folder = release / "bundle"
    bundle = load_bundle(folder, FORMATS[kind], digest)
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Candidate(name, bundle, size, signed)


def hear(
    challenger: Candidate,
    champion: Candidate | None,
    data: Path,
    params: EvaluateParams,
    skills: SkillModel | None = None,
) -> Hearing:
    """Return what both candidates answer to the rows of ``data``, and how fast.

    Parameters
    ----------
    champion : Candidate, optional
        Of the same kind.
    data : Path
        The project's folder of that name, with what the stages left there.
    params : EvaluateParams
        Of the intervals that are shown; the gate draws its own.
    skills : SkillModel, optional
        Reads resumes for job indexes; it is needed for the kind matching alone.

    Raises
    ------
    EvidenceError
        If the rows are not there, or cannot tell anything.
    """
    candidates = [challenger] if champion is None else [challenger, champion]
    bundles = [candidate.bundle for candidate in candidates]
    kind = challenger.kind
    if kind in MODELS:
        given, answers = see_messages(kind, bundles, data, params)
    elif kind == "skills":
        given, answers = see_postings(bundles, data, params)
    elif skills is None:
        raise EvidenceError("a job index is asked with a skills model, and none is given")
    else:
        given, answers = see_resumes(bundles, skills, data, params)
    seconds = _median_seconds([answered.answer for answered in answers], given.texts)
    witnesses = [
        Witness(candidate, answered, _evidence(candidate, given, answered, taken, data))
        for candidate, answered, taken in zip(candidates, answers, seconds, strict=True)
    ]
    return Hearing(given, witnesses[0], witnesses[1] if champion else None)


def judge(hearing: Hearing, params: Params, policy: GateParams) -> Decision:
    """Return the gate's decision on what was heard, by the floors of the challenger's corpus."""
    candidate = hearing.challenger.candidate
    floors = params.floors(candidate.kind, candidate.bundle.manifest.corpus)
    champion = hearing.champion.evidence if hearing.champion else None
    return decide(hearing.challenger.evidence, champion, policy, floors)


def _evidence(
    candidate: Candidate, given: Given, answered: Answered, seconds: float, data: Path
) -> Evidence:
    bundle = candidate.bundle
    failures = run_suite(
        *(candidate.kind, bundle.model, bundle.manifest.thresholds, bundle.manifest.corpus),
        data / "behaviour",
    )
    return Evidence(
        kind=candidate.kind,
        rows=given.digest,
        own_rows=answered.metrics["test_digest"] == bundle.metrics.get("test_digest"),
        figures=answered.figures,
        metric=answered.metric,
        main=answered.main,
        quality=answered.quality,
        slices=answered.slices,
        ece=answered.ece,
        seconds=seconds,
        size=candidate.size,
        failures=tuple(map(str, failures)),
        golden=True,  # load_bundle raises otherwise
        signed=candidate.signed,
        strata=given.strata,
    )


def _median_seconds(models: Sequence[Callable[[str], object]], texts: Sequence[str]) -> list[float]:
    """Return the median time of one answer of each model, to the same texts in turns.

    It is the processor's time, and of each text the quickest of all rounds counts: whatever else
    the machine does shall not make one of them look slower.
    """
    sample = [texts[row] for row in range(0, len(texts), max(1, len(texts) // _TIMED_TEXTS))]
    quickest = [[math.inf] * len(sample) for _ in models]
    for model in models:
        model(sample[0])
    for turn in range(_TIMED_ROUNDS):
        for number, text in enumerate(sample):
            # The second finds the text in the processor's cache, so each is first in its turn.
            places = range(len(models)) if (turn + number) % 2 else reversed(range(len(models)))
            for place in places:
                start = time.thread_time()
                models[place](text)
                taken = time.thread_time() - start
                quickest[place][number] = min(quickest[place][number], taken)
    return [median(times) for times in quickest]
