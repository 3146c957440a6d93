"""How well a ranking of postings answers questions: among its first ten, and how soon."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from models.matching import JobIndex, Posting
from models.metrics import Figure
from models.params import EvaluateParams
from models.ranking import best
from models.skills import SkillHit
from pipelines.intervals import Rows, bootstrap

TOP_K = 10

#: The share of answers among the first ten, and one over the place of the first answer there.
MEASURES = ("precision_at_10", "mrr")

#: From a text to the postings nearest to it, best first, at most ``TOP_K``.
Ranking = Callable[[str], Sequence[Posting]]


@dataclass(frozen=True)
class Question:
    """A text to find postings for.

    Attributes
    ----------
    group : str
        What the text is about; groups count alike, however many questions they have.
    answers : frozenset of str
        Ids of the postings that are right.
    """

    group: str
    text: str
    answers: frozenset[str]


@dataclass(frozen=True, eq=False)
class Measured:
    """What several rankings reach on the same questions.

    Attributes
    ----------
    questions : tuple of Question
    outcomes : dict of str to ndarray of float, shape (n_questions, 2)
        Name of a ranking to its ``MEASURES``.
    """

    questions: tuple[Question, ...]
    outcomes: Mapping[str, Rows]

    @cached_property
    def groups(self) -> dict[str, NDArray[np.int64]]:
        """Row numbers of each group's questions, groups in order of appearance."""
        rows: dict[str, list[int]] = {}
        for row, question in enumerate(self.questions):
            rows.setdefault(question.group, []).append(row)
        return {group: np.array(numbers) for group, numbers in rows.items()}

    def figures(self, ranking: str, params: EvaluateParams) -> dict[str, Figure]:
        """Return the measures averaged over the groups; questions are resampled within each."""
        return self._averages(self.outcomes[ranking], params)

    def gains(self, ranking: str, over: str, params: EvaluateParams) -> dict[str, Figure]:
        """Return by how much ``ranking`` is ahead of ``over``, question by question."""
        return self._averages(self.outcomes[ranking] - self.outcomes[over], params)

    def group_figures(self, ranking: str, group: str, params: EvaluateParams) -> dict[str, Figure]:
        """Return the measures of one group's questions."""
        rows = self.outcomes[ranking][self.groups[group]]
        return {
            name: bootstrap(rows[:, column], lambda drawn: drawn.mean(axis=1), params)
            for column, name in enumerate(MEASURES)
        }

    def _averages(self, outcome: Rows, params: EvaluateParams) -> dict[str, Figure]:
        shares = np.zeros(len(self.questions))
        for rows in self.groups.values():
            shares[rows] = 1.0 / (len(rows) * len(self.groups))
        return {
            name: bootstrap(
                outcome[:, column],
                lambda drawn: np.asarray(drawn @ shares),
                params,
                list(self.groups.values()),
            )
            for column, name in enumerate(MEASURES)
        }


def measure(
    questions: Sequence[Question], rankings: Mapping[str, Ranking], n_postings: int
) -> Measured:
    """Return how well each ranking answers ``questions``, beside chance under ``random``.

    Parameters
    ----------
    n_postings : int
        How many the rankings choose from.
    """
    outcomes = {
        name: np.array([_outcome(question, rank(question.text)) for question in questions])
        for name, rank in rankings.items()
    }
    chance = np.array([_chance(len(question.answers) / n_postings) for question in questions])
    return Measured(tuple(questions), {**outcomes, "random": chance})


def plain_ranking(postings: Sequence[Posting]) -> Ranking:
    """Return the ranking of scikit-learn's TF-IDF without English stop words, by cosine."""
    vectoriser = TfidfVectorizer(stop_words="english")
    matrix = vectoriser.fit_transform(posting.text for posting in postings)

    def rank(text: str) -> list[Posting]:
        scores = csr_matrix(vectoriser.transform([text]) @ matrix.T).toarray().ravel()
        return [postings[row] for row in best(scores, TOP_K)]

    return rank


def index_ranking(index: JobIndex, extract: Callable[[str], Sequence[SkillHit]]) -> Ranking:
    """Return the ranking of the job index for texts whose skills ``extract`` finds."""

    def rank(text: str) -> list[Posting]:
        return [job.posting for job in index.recommend(text, extract(text), TOP_K)]

    return rank


def _outcome(question: Question, ranked: Sequence[Posting]) -> tuple[float, float]:
    places = [place for place, posting in enumerate(ranked, 1) if posting.id in question.answers]
    return len(places) / TOP_K, 1.0 / places[0] if places else 0.0


def _chance(prevalence: float) -> tuple[float, float]:
    """Return what a random order reaches where ``prevalence`` of the postings are right."""
    places = np.arange(1, TOP_K + 1)
    first = prevalence * (1.0 - prevalence) ** (places - 1)
    return prevalence, float((first / places).sum())
