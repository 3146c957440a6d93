"""Resumes and jobs: build, search and store the job index, and score a resume against a job.

.. code-block:: python

    index = build_index(postings, matcher, importance, role_titles)
    index.recommend(resume, matcher.extract(resume), top_k=10, filters=Filters(remote=True))
    index.similar_roles(resume, matcher.extract(resume), top_k=5)
    compatibility(index.space, resume, hits, job, importance(job, job_hits), years, job_hits)
"""

from models.compatibility import STUFFING_BOUND, Compatibility, Parts, compatibility
from models.errors import NoPostingsError, PostingsError
from models.index_build import build_index
from models.index_store import INDEX_FILES, MATCHING, dump_index, golden_answer, load_index
from models.job_index import Entry, Filters, JobIndex, Reason, Recommended, SimilarRole
from models.job_space import JobSpace
from models.job_terms import asked_years
from models.params import IndexParams
from models.postings import Posting, dump_postings, load_postings

__all__ = [
    "INDEX_FILES",
    "MATCHING",
    "STUFFING_BOUND",
    "Compatibility",
    "Entry",
    "Filters",
    "IndexParams",
    "JobIndex",
    "JobSpace",
    "NoPostingsError",
    "Parts",
    "Posting",
    "PostingsError",
    "Reason",
    "Recommended",
    "SimilarRole",
    "asked_years",
    "build_index",
    "compatibility",
    "dump_index",
    "dump_postings",
    "golden_answer",
    "load_index",
    "load_postings",
]
