"""The space in which resumes, postings and roles meet: terms, skills and roles, each weighted.

A vector has two blocks. *Text*: TF-IDF over terms, with logarithmic counts, and over canonical
skills, so that two spellings of one skill meet. *Role*: TF-IDF over the grams of roles, those of
the title for a posting, those named in the text for a resume. Each block has unit length and
counts for its share, so that the dot product of two vectors lies in [0, 1] and is the sum of what
each term, skill and role carries.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from models.job_terms import RoleHeads, role_grams, role_words, terms
from models.params import IndexParams

Floats = NDArray[np.float32]
FeatureKind = Literal["term", "skill", "role"]


class Hit(Protocol):
    """A skill of a text, as :class:`models.skills.SkillMatcher` finds it."""

    @property
    def name(self) -> str:
        """The canonical name."""

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """Where it is written; empty if it is only implied."""

    @property
    def stated(self) -> bool:
        """Whether the text names it."""


@dataclass(frozen=True)
class JobSpace:
    """The features and their weights, fitted on postings.

    Attributes
    ----------
    terms, skills, roles : tuple of str
        Names of the features, in the order of the columns.
    weights : ndarray of float32, shape (n_features,)
    sentence_weights : ndarray of float32, shape (n_terms,)
        Weights of the terms in running text: rarity among postings that have any, where "insurance"
        is common, rather than among lists of skills, where it is not.
    heads : RoleHeads
    surfaces : dict of str to str
        How words are usually written, where that is not how they are folded.
    params : IndexParams
    """

    terms: tuple[str, ...]
    skills: tuple[str, ...]
    roles: tuple[str, ...]
    weights: Floats
    sentence_weights: Floats
    heads: RoleHeads
    surfaces: Mapping[str, str]
    params: IndexParams

    @property
    def n_text(self) -> int:
        """Number of columns of the text block."""
        return len(self.terms) + len(self.skills)

    @cached_property
    def rarest(self) -> float:
        """The weight of the term that weighs most in running text."""
        return float(self.sentence_weights.max())

    def role_weight(self, gram: str) -> float:
        """Return the weight of a role gram; 0 if no title has it."""
        column = self._role_columns.get(gram)
        return 0.0 if column is None else float(self.weights[self.n_text + column])

    @cached_property
    def term_columns(self) -> dict[str, int]:
        """Column of each term."""
        return {term: column for column, term in enumerate(self.terms)}

    @cached_property
    def _skill_columns(self) -> dict[str, int]:
        return {skill: column for column, skill in enumerate(self.skills, len(self.terms))}

    @cached_property
    def _role_columns(self) -> dict[str, int]:
        return {role: column for column, role in enumerate(self.roles)}

    def name(self, column: int) -> tuple[FeatureKind, str]:
        """Return the kind of the feature in ``column`` and its name as people write it."""
        if column < len(self.terms):
            return "term", self.written(self.terms[column])
        if column < self.n_text:
            return "skill", self.skills[column - len(self.terms)]
        return "role", self.written(self.roles[column - self.n_text])

    def written(self, term: str) -> str:
        """Return ``term`` as it is usually written."""
        return " ".join(self.surfaces.get(word, word) for word in term.split(" "))

    def text_rows(self, texts: Iterable[tuple[str, str, Iterable[Hit]]]) -> csr_matrix:
        """Return the text block of (title, body, skills of both), one row each, of unit length."""
        params = self.params
        rows: list[dict[int, float]] = []
        for title, body, hits in texts:
            row: dict[int, float] = {}
            for text, weight in ((title, params.title_weight), (body, 1.0)):
                for term, count in terms(text).items():
                    column = self.term_columns.get(term)
                    if column is not None:
                        row[column] = row.get(column, 0.0) + weight * (1.0 + np.log(count))
            for name in {hit.name for hit in hits if hit.stated}:
                column = self._skill_columns.get(name)
                if column is not None:
                    row[column] = 1.0
            rows.append(row)
        return self._rows(rows, self.n_text, self.weights[: self.n_text])

    def role_rows(self, grams: Iterable[Mapping[str, int]]) -> csr_matrix:
        """Return the role block of counted role grams, one row each, of unit length."""
        columns = self._role_columns
        rows = [
            {
                columns[gram]: 1.0 + float(np.log(count))
                for gram, count in found.items()
                if gram in columns
            }
            for found in grams
        ]
        return self._rows(rows, len(self.roles), self.weights[self.n_text :])

    def title_rows(self, titles: Iterable[str]) -> csr_matrix:
        """Return the role block of titles."""
        return self.role_rows(role_grams(role_words(title)) for title in titles)

    def encode(self, text: str, hits: Iterable[Hit]) -> csr_matrix:
        """Return the vector of a resume, shape (1, n_features)."""
        return self.join(
            self.text_rows([("", text, hits)]), self.role_rows([self.heads.mentions(text)])
        )

    def join(self, text: csr_matrix, role: csr_matrix) -> csr_matrix:
        """Return vectors made of a text and a role block, each with its share."""
        share = self.params.role_share
        joined = csr_matrix(
            hstack([text * np.float32(np.sqrt(1.0 - share)), role * np.float32(np.sqrt(share))])
        )
        joined.sort_indices()
        return joined

    @staticmethod
    def _rows(rows: Sequence[Mapping[int, float]], n_columns: int, weights: Floats) -> csr_matrix:
        lengths = [len(row) for row in rows]
        indices = np.fromiter((c for row in rows for c in row), dtype=np.int32, count=sum(lengths))
        data = np.fromiter(
            (value for row in rows for value in row.values()), dtype=np.float32, count=sum(lengths)
        )
        pointers = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
        matrix = csr_matrix(
            (data * weights[indices], indices, pointers), shape=(len(rows), n_columns)
        )
        matrix.sort_indices()
        return unit(matrix)


def unit(matrix: csr_matrix) -> csr_matrix:
    """Return ``matrix`` with rows of unit length; empty rows stay empty."""
    lengths = np.diff(matrix.indptr)
    squares = np.zeros(matrix.shape[0], dtype=np.float64)
    filled = lengths > 0
    if filled.any():
        starts = matrix.indptr[:-1][filled]
        squares[filled] = np.add.reduceat(matrix.data.astype(np.float64) ** 2, starts)
    norms = np.sqrt(squares)
    norms[norms == 0.0] = 1.0
    data = (matrix.data / np.repeat(norms, lengths)).astype(np.float32)
    return csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def frequencies(documents: Iterable[Iterable[str]]) -> Counter[str]:
    """Return in how many ``documents`` each name occurs."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(set(document))
    return counts
