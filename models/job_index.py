"""The job index: the exact best postings for a resume, why each one, and similar roles."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.job_space import FeatureKind, Floats, Hit, JobSpace
from models.job_terms import folded_words
from models.native_cache import is_compiled
from models.postings import Posting
from models.ranking import best

if TYPE_CHECKING:
    from models.search import Search

#: Reasons and missing skills given with a posting.
MAX_REASONS = 8
MAX_MISSING = 10

# Titles scored below this share nothing that a person would call similar.
_LEAST_SIMILAR = 0.05

_TEXT_FIELDS = ("title", "company", "location")


@dataclass(frozen=True)
class Entry:
    """A posting of the index.

    Attributes
    ----------
    asked : tuple of (str, float)
        Skills it asks for with their importance, most important first.
    copies : tuple of str
        Ids of postings that advertise the same job.
    """

    posting: Posting
    asked: tuple[tuple[str, float], ...] = ()
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filters:
    """What a posting must say to be considered; None asks nothing.

    The words of ``title``, ``company`` and ``location`` must all occur in the posting's, in any
    case and order. A posting that says nothing of a field that is asked for is left out.
    """

    title: str | None = None
    company: str | None = None
    location: str | None = None
    remote: bool | None = None


@dataclass(frozen=True)
class Reason:
    """What one term, skill or role adds to a score.

    Attributes
    ----------
    stated : bool
        The posting says it; otherwise it is usual for postings with such a title.
    """

    kind: FeatureKind
    name: str
    share: float
    stated: bool


@dataclass(frozen=True)
class Recommended:
    """A posting for a resume.

    Attributes
    ----------
    score : float
        In [0, 1]; the sum of the shares of all reasons, of which ``why`` has the largest.
    missing : tuple of (str, float)
        Skills asked for that the resume does not have, most important first.
    """

    posting: Posting
    score: float
    why: tuple[Reason, ...]
    missing: tuple[tuple[str, float], ...]
    copies: tuple[str, ...]


@dataclass(frozen=True)
class SimilarRole:
    """A role close to a resume, with its score in [0, 1]."""

    title: str
    score: float


@dataclass(frozen=True, eq=False)
class JobIndex:
    """Postings in the space of their terms, ready to be searched.

    Attributes
    ----------
    space : JobSpace
    matrix : csr_matrix of float32, shape (n_postings, n_features)
    own : ndarray of bool, shape (matrix.nnz,)
        Whether the posting itself has the feature of an entry.
    entries : tuple of Entry, length n_postings
    titles : tuple of str
        Names of roles to compare resumes with.
    title_matrix : csr_matrix of float32, shape (n_titles, n_features)
    """

    space: JobSpace
    matrix: csr_matrix
    own: NDArray[np.bool_]
    entries: tuple[Entry, ...]
    titles: tuple[str, ...]
    title_matrix: csr_matrix

    def warm_up(self) -> None:
        """Make what is derived from the matrices now rather than at the first request.

        A later call, once the search is compiled, prepares the postings for it.
        """
        if is_compiled() and not self.is_prepared:
            from models.search_store import shared_search  # numba takes half a second to import

            search = shared_search(self.matrix)
            # What was read goes: the processes of a machine share the matrix of the search.
            vars(self).update(_search=search, matrix=search.rows)
            vars(self).pop("_transpose", None)
        if not self.is_prepared:
            _ = self._transpose
        _ = self._title_transpose, self._words
        _ = self.space.encode("", ())

    @property
    def is_prepared(self) -> bool:
        """Whether compiled code searches the postings; sparse matrices find the same, slower."""
        return "_search" in vars(self)

    def top(
        self, query: csr_matrix, top_k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return the ``top_k`` postings nearest to ``query`` with their cosines, best first.

        Parameters
        ----------
        query : csr_matrix of float32, shape (1, n_features)
        allowed : ndarray of bool, shape (n_postings,), optional
            Others are left out before anything is ranked.

        Returns
        -------
        indices : ndarray of int64, at most ``top_k``; ties by lower index
        cosines : ndarray of float32, all of them positive
        """
        search: Search | None = vars(self).get("_search")
        if search is not None:
            return search.top(query, top_k, allowed)
        scores = self.scores(query)
        found = best(scores, top_k, allowed)
        return found, scores[found]

    def scores(self, query: csr_matrix) -> Floats:
        """Return the cosine of ``query``, shape (1, n_features), with every posting."""
        return _product(query, self._transpose)

    def recommend(
        self,
        text: str,
        hits: Sequence[Hit],
        top_k: int,
        filters: Filters | None = None,
    ) -> tuple[Recommended, ...]:
        """Return the ``top_k`` postings nearest to a resume, best first; ties by lower index.

        Parameters
        ----------
        text : str
            The resume.
        hits : sequence of Hit
            Its skills, stated and implied.
        top_k : int
            Fewer are returned if fewer share anything with the resume, or fit the filters.
        """
        query = self.space.encode(text, hits)
        found, scores = self.top(query, top_k, self.allowed(filters or Filters()))
        dense = np.zeros(self.matrix.shape[1], dtype=np.float32)
        dense[query.indices] = query.data
        have = {hit.name for hit in hits}
        return tuple(
            self._explained(int(index), float(score), dense, have)
            for index, score in zip(found, scores, strict=True)
        )

    def similar_roles(self, text: str, hits: Sequence[Hit], top_k: int) -> tuple[SimilarRole, ...]:
        """Return the roles nearest to a resume, best first."""
        scores = _product(self.space.encode(text, hits), self._title_transpose)
        return tuple(
            SimilarRole(self.titles[index], _bounded(scores[index]))
            for index in best(scores, top_k)
            if scores[index] >= _LEAST_SIMILAR
        )

    def allowed(self, filters: Filters) -> NDArray[np.bool_] | None:
        """Return which postings fit ``filters``, or None if they all do."""
        allowed: NDArray[np.bool_] | None = None
        for field in _TEXT_FIELDS:
            wanted: str | None = getattr(filters, field)
            if wanted is None or not (words := folded_words(wanted)):
                continue
            for word in words:
                having = np.zeros(len(self.entries), dtype=np.bool_)
                having[self._words[field].get(word, [])] = True
                allowed = having if allowed is None else allowed & having
        if filters.remote is not None:
            known = np.array([entry.posting.remote is filters.remote for entry in self.entries])
            allowed = known if allowed is None else allowed & known
        return allowed

    def reasons(self, index: int, query: Floats, limit: int | None = None) -> list[Reason]:
        """Return what makes up the score of posting ``index``, largest first; all of it by default.

        Parameters
        ----------
        query : ndarray of float32, shape (n_features,)
        """
        first, last = self.matrix.indptr[index], self.matrix.indptr[index + 1]
        columns = self.matrix.indices[first:last]
        shares = query[columns] * self.matrix.data[first:last]
        places = np.argsort(-shares, kind="stable")[:limit]
        return [
            Reason(
                *self.space.name(int(columns[place])),
                share=float(shares[place]),
                stated=bool(self.own[first + place]),
            )
            for place in places
            if shares[place] > 0.0
        ]

    def _explained(self, index: int, score: float, query: Floats, have: set[str]) -> Recommended:
        entry = self.entries[index]
        missing = [skill for skill in entry.asked if skill[0] not in have]
        return Recommended(
            posting=entry.posting,
            score=_bounded(score),
            why=tuple(self.reasons(index, query, MAX_REASONS)),
            missing=tuple(missing[:MAX_MISSING]),
            copies=entry.copies,
        )

    @cached_property
    def _transpose(self) -> csr_matrix:
        return self.matrix.T.tocsr()

    @cached_property
    def _title_transpose(self) -> csr_matrix:
        return self.title_matrix.T.tocsr()

    @cached_property
    def _words(self) -> dict[str, dict[str, list[int]]]:
        """Which postings have a word in a field: field -> word -> indices."""
        found: dict[str, dict[str, list[int]]] = {field: {} for field in _TEXT_FIELDS}
        for index, entry in enumerate(self.entries):
            for field, words in found.items():
                for word in folded_words(getattr(entry.posting, field) or ""):
                    words.setdefault(word, []).append(index)
        return found


def title_key(posting: Posting) -> tuple[str, str | None]:
    """Return the title and company under which equal texts are one job."""
    title = " ".join(sorted(folded_words(posting.title)))
    company = posting.company and " ".join(sorted(folded_words(posting.company)))
    return title, company or None


def _product(query: csr_matrix, transpose: csr_matrix) -> Floats:
    product = np.zeros(transpose.shape[1], dtype=np.float32)
    found = query @ transpose
    product[found.indices] = found.data
    return product


def _bounded(score: float) -> float:
    """Cosines of float32 vectors can pass 1 by their last digit."""
    return min(max(float(score), 0.0), 1.0)
