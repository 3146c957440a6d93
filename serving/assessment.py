"""What the models say of resumes, skills and jobs, ready for JSON.

Everything here takes time and holds the interpreter: it runs in a thread. Importing it takes a
second, so that it is imported there too.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from models.compatibility import sentences
from models.extract import Document
from models.limits import TOP_ROLES
from models.matching import Compatibility, Filters, JobIndex, Recommended, compatibility
from models.resume import Resume, parse_resume
from models.skill_model import SkillModel
from models.skills import Gap, SkillHit, importance, skill_gap
from serving.advice import advise

Json = dict[str, Any]


class Assessor:
    """Answers with one version of the models, on one day.

    Parameters
    ----------
    model : SkillModel
    today : date
        Until when "present" lasts.
    region : str, optional
        Country of phone numbers without a country code, in resumes that name none.
    """

    def __init__(self, model: SkillModel, today: date, region: str | None = None) -> None:
        self._model = model
        self._today = today
        self._region = region

    def parsed(self, document: Document, *, with_text: bool) -> Json:
        """Return a resume as data.

        Parameters
        ----------
        with_text : bool
            Whether to return the text too: all offsets refer to it, and who sent a file has none.
        """
        return self._parsed(self._read(document), with_text)

    def analyzed(self, document: Document, index: JobIndex, job: str, *, with_text: bool) -> Json:
        """Return how well a resume fits a job, the parts of the score, and advice."""
        read = self._read(document)
        [fit] = self._fits(read, index, [job])
        gap = skill_gap(self._model, read.hits, job)
        skills = _gap(gap)
        return {
            "score": fit.score,
            "parts": asdict(fit.parts),
            "matched_skills": skills["matched"],
            "missing_skills": skills["missing"],
            "related_skills": skills["related"],
            "advice": advise(document, read.resume, read.hits, read.shown(), gap, fit),
            "resume": self._parsed(read, with_text),
        }

    def extracted(self, text: str) -> Json:
        """Return the skills of a text, and the phrases that show one, with or without a name."""
        return {
            "skills": [
                {
                    "name": hit.name,
                    "category": hit.category,
                    "spans": [{"start": start, "end": end} for start, end in hit.spans],
                    "stated": hit.stated,
                }
                for hit in self._model.extract(text)
            ],
            "phrases": [asdict(phrase) for phrase in self._model.phrases(text)],
        }

    def compared(self, text: str, job: str) -> Json:
        """Return what a job asks for, split by whether the resume has it."""
        return _gap(skill_gap(self._model, self._model.extract(text), job))

    def recommended(
        self, document: Document, index: JobIndex, top_k: int, filters: Mapping[str, Any]
    ) -> Json:
        """Return the best jobs for a resume, why each one, and similar roles."""
        # As the postings were read: with the tagger no better jobs are found, and ten times slower.
        hits = self._model.matcher.extract(document.text)
        jobs = index.recommend(document.text, hits, top_k, Filters(**filters))
        roles = index.similar_roles(document.text, hits, TOP_ROLES)
        return {
            "jobs": [_job(job) for job in jobs],
            "similar_roles": [asdict(role) for role in roles],
        }

    def scored(self, document: Document, index: JobIndex, jobs: Sequence[str]) -> list[float]:
        """Return how well a resume fits each of these jobs."""
        return [fit.score for fit in self._fits(self._read(document), index, jobs)]

    def _read(self, document: Document) -> "_Read":
        hits = self._model.extract(document.text)
        resume = parse_resume(
            document.text,
            lambda text: hits if text == document.text else self._model.extract(text),
            today=self._today,
            region=self._region,
            links=document.links,
        )
        return _Read(document, resume, hits)

    def _parsed(self, read: "_Read", with_text: bool) -> Json:
        found = read.resume.as_dict()
        warnings = [*read.document.warnings, *found["warnings"]]
        return found | {"warnings": warnings, "text": read.document.text if with_text else None}

    def _fits(self, read: "_Read", index: JobIndex, jobs: Sequence[str]) -> list[Compatibility]:
        fits = []
        for job in jobs:
            job_hits = self._model.extract(job)
            stress = importance(job, job_hits)
            years = read.resume.years_experience
            fits.append(
                compatibility(
                    index.space, read.document.text, read.hits, job, stress, years, job_hits
                )
            )
        return fits


@dataclass(frozen=True)
class _Read:
    """A resume, what it says, and its skills."""

    document: Document
    resume: Resume
    hits: list[SkillHit]

    def shown(self) -> set[str]:
        """Return the skills that a sentence shows in use."""
        spans = sentences(self.document.text, self.hits)
        starts, ends = [start for start, _ in spans], [end for _, end in spans]
        return {
            hit.name
            for hit in self.hits
            for start, _ in hit.spans
            if (place := bisect_right(starts, start)) and start < ends[place - 1]
        }


def _gap(gap: Gap) -> Json:
    return {
        "matched": [asdict(skill) for skill in gap.matched],
        "missing": [asdict(skill) for skill in gap.missing],
        "related": [asdict(pair) for pair in gap.related],
    }


def _job(job: Recommended) -> Json:
    posting = job.posting
    return {
        "id": posting.id,
        "title": posting.title,
        "company": posting.company,
        "location": posting.location,
        "remote": posting.remote,
        "score": job.score,
        "why": [asdict(reason) for reason in job.why],
        "missing_skills": [{"name": name, "importance": weight} for name, weight in job.missing],
        "url": posting.url,
        "copies": job.copies,
    }
