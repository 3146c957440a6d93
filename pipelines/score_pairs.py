"""Pairs whose compatibility score should be at the top, at the bottom, or well between."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.matching import JobSpace, Posting, compatibility
from models.skills import SkillHit, importance
from pipelines.retrieval import Question
from pipelines.sampling import sample_rank

#: Postings compared with themselves, and postings of each sort compared with a resume.
ITSELF = 200
PER_RESUME = 3

Extract = Callable[[str], Sequence[SkillHit]]


def pair_scores(
    space: JobSpace,
    extract: Extract,
    questions: Sequence[Question],
    years: Sequence[float | None],
    postings: Sequence[Posting],
) -> dict[str, NDArray[np.float64]]:
    """Return the scores of postings against themselves, and of resumes against right and wrong.

    Only postings with a description are taken: a bare list of skills is no job to be judged by.

    Parameters
    ----------
    questions : sequence of Question
        One for each resume.
    years : sequence of float or None
        Experience of each.

    Returns
    -------
    scores : dict of str to ndarray of float
        For ``itself``, ``matched`` and ``unrelated``. The last two have a row for each resume with
        postings of both sorts, the mean of its scores.
    """
    told = [posting for posting in postings if posting.description]
    hits: dict[str, Sequence[SkillHit]] = {}

    def score(resume: str, experience: float | None, job: Posting) -> float:
        for text in (resume, job.text):
            if text not in hits:
                hits[text] = extract(text)
        wanted = hits[job.text]
        stress = importance(job.text, wanted)
        return compatibility(
            space, resume, hits[resume], job.text, stress, experience, wanted
        ).score

    scores: dict[str, list[float]] = {
        "itself": [score(job.text, None, job) for job in some(told, "", ITSELF)],
        "matched": [],
        "unrelated": [],
    }
    for number, (question, experience) in enumerate(zip(questions, years, strict=True)):
        jobs = {
            "matched": [job for job in told if job.id in question.answers],
            "unrelated": [job for job in told if job.id not in question.answers],
        }
        if all(jobs.values()):
            for name, fitting in jobs.items():
                chosen = some(fitting, str(number), PER_RESUME)
                mean = np.mean([score(question.text, experience, job) for job in chosen])
                scores[name].append(float(mean))
    return {name: np.array(found) for name, found in scores.items()}


def some(postings: Sequence[Posting], salt: str, count: int) -> list[Posting]:
    """Return ``count`` of ``postings``, others for another ``salt``."""
    return sorted(postings, key=lambda posting: sample_rank(f"{salt} {posting.id}"))[:count]
