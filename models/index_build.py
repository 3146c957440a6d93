"""Build the job index: collapse repeated postings, weigh the features, fill in usual terms."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from models.errors import NoPostingsError
from models.job_index import Entry, JobIndex, title_key
from models.job_space import Hit, JobSpace, frequencies, unit
from models.job_terms import RoleHeads, raw_words, role_grams, role_words, stem, terms
from models.params import IndexParams
from models.postings import Posting
from models.skill_importance import ASKED

# Of how many terms at most the text usual for one role gram is made.
_TERMS_OF_GRAM = 100
# Coherence of a rare term is drawn to the average as if it had this many postings more.
_COHERENCE_PRIOR = 20.0
# Shorter descriptions are no running text.
_LEAST_TOLD = 30
# A title with more words than these, or with unknown ones, is not offered as a similar role.
_MAX_TITLE_WORDS = 5


H_co = TypeVar("H_co", bound=Hit, covariant=True)
H = TypeVar("H", bound=Hit)


class Reader(Protocol[H_co]):
    """Finds skills in a text, as :class:`models.skills.SkillMatcher` does."""

    def extract(self, text: str) -> Sequence[H_co]:
        """Return the skills of ``text``."""


#: How much a posting's text stresses each of its skills, as :func:`models.skills.importance`.
Importance = Callable[[str, Sequence[H]], Mapping[str, float]]


@dataclass(frozen=True)
class _Read(Generic[H]):
    """A posting with the skills found in it."""

    posting: Posting
    hits: Sequence[H]

    @property
    def body(self) -> str:
        """All its text but the title."""
        return "\n".join((self.posting.description or "", ", ".join(self.posting.skills)))


def build_index(
    postings: Sequence[Posting],
    reader: Reader[H],
    importance: Importance[H],
    role_titles: Iterable[str] = (),
    params: IndexParams | None = None,
) -> JobIndex:
    """Return the index of ``postings``.

    Parameters
    ----------
    reader, importance
        The skills in a text, and how much it stresses each.
    role_titles : iterable of str
        Names of occupations to offer beside postings; those that share no word with the titles of
        the postings are left out, since nothing is known about them.

    Raises
    ------
    NoPostingsError
        If there are no postings, or no term that two of them share.
    """
    params = params or IndexParams()
    read = [_Read(posting, reader.extract(posting.text)) for posting in postings]
    space = _fit_space(read, params)
    text = _text_rows(space, read)
    groups = _collapse(read, text, params.duplicate_cosine)
    read, text = [read[group[0]] for group in groups], text[[group[0] for group in groups]]
    role = space.title_rows(each.posting.title for each in read)
    space, text, role = _weigh_coherent(space, text, role)
    usual = _usual_terms(text, role)
    titles = _known_titles(space, role_titles)
    matrix = space.join(_filled(space, text, role, usual), role)
    return JobIndex(
        space=space,
        matrix=matrix,
        own=_own(matrix, space.join(text, role)),
        entries=tuple(
            Entry(
                posting=each.posting,
                asked=_asked(each, importance),
                copies=tuple(postings[copy].id for copy in group[1:]),
            )
            for each, group in zip(read, groups, strict=True)
        ),
        titles=titles,
        title_matrix=_title_matrix(space, titles, usual),
    )


def _fit_space(read: Sequence[_Read[H]], params: IndexParams) -> JobSpace:
    documents = [
        frozenset(terms(each.posting.title)) | frozenset(terms(each.body)) for each in read
    ]
    skills = ({hit.name for hit in each.hits if hit.stated} for each in read)
    roles = [role_words(each.posting.title) for each in read]
    counted = [
        {name: count for name, count in frequencies(names).items() if count >= params.min_df}
        for names in (documents, skills, (role_grams(role) for role in roles))
    ]
    if not counted[0]:
        raise NoPostingsError(
            f"{len(read)} postings share no term: give more of them, or lower min_df"
        )
    names = [tuple(sorted(found)) for found in counted]
    term_weights, skill_weights, role_weights = (
        _rarity(found, order, len(read)) for found, order in zip(counted, names, strict=True)
    )
    told = [
        document
        for document, each in zip(documents, read, strict=True)
        if len(raw_words(each.posting.description or "")) >= _LEAST_TOLD
    ]
    sentence_weights = _rarity(frequencies(told or documents), names[0], len(told or documents))
    pairs = np.array([params.pair_weight if " " in term else 1.0 for term in names[0]])
    return JobSpace(
        terms=names[0],
        skills=names[1],
        roles=names[2],
        weights=np.concatenate(
            (pairs * term_weights, params.skill_weight * skill_weights, role_weights)
        ).astype(np.float32),
        sentence_weights=(pairs * sentence_weights).astype(np.float32),
        heads=RoleHeads.learn(roles, params.min_df),
        surfaces=_surfaces(read),
        params=params,
    )


def _rarity(counts: Mapping[str, int], names: Sequence[str], n_documents: int) -> np.ndarray:
    """Return the inverse document frequencies of ``names``, smoothed as scikit-learn does."""
    found = np.array([counts.get(name, 0) for name in names], dtype=np.float64)
    return np.asarray(np.log((1 + n_documents) / (1 + found)) + 1.0)


def _surfaces(read: Iterable[_Read[H]]) -> dict[str, str]:
    """Return the usual spelling of words that are folded otherwise: "sale" is written "sales"."""
    written: dict[str, Counter[str]] = {}
    for each in read:
        for word in raw_words(f"{each.posting.title}\n{each.body}"):
            if folded := stem(word):
                written.setdefault(folded, Counter())[word] += 1
    usual = {
        word: min(forms, key=lambda form: (-forms[form], form)) for word, forms in written.items()
    }
    return {word: form for word, form in sorted(usual.items()) if word != form}


def _text_rows(space: JobSpace, read: Iterable[_Read[H]]) -> csr_matrix:
    return space.text_rows((each.posting.title, each.body, each.hits) for each in read)


def _collapse(read: Sequence[_Read[H]], text: csr_matrix, bound: float) -> list[list[int]]:
    """Return groups of postings that advertise one job, first come first, in order."""
    buckets: dict[tuple[str, str | None], list[list[int]]] = {}
    for index, each in enumerate(read):
        groups = buckets.setdefault(title_key(each.posting), [])
        if groups:
            heads = text[[group[0] for group in groups]]
            cosines = (heads @ text[index].T).toarray().ravel()
            best = int(cosines.argmax())
            if cosines[best] >= bound:
                groups[best].append(index)
                continue
        groups.append([index])
    return sorted(group for groups in buckets.values() for group in groups)


def _weigh_coherent(
    space: JobSpace, text: csr_matrix, role: csr_matrix
) -> tuple[JobSpace, csr_matrix, csr_matrix]:
    """Raise the weight of text features whose postings have similar titles.

    The coherence of a feature is the mean cosine, over pairs of postings that have it, of their
    role blocks: high for "hadoop", low for "month", whatever their frequencies are.
    """
    power = space.params.coherence
    if power == 0.0:
        return space, text, role
    lengths = np.asarray(role.multiply(role).sum(axis=1)).ravel()
    everywhere = float((np.asarray(role.sum(axis=0), dtype=np.float64) ** 2).sum() - lengths.sum())
    base = max(everywhere / max(len(lengths) * (len(lengths) - 1), 1), 1e-6)
    having = _pattern(text).T.tocsr()
    counts = np.diff(having.indptr).astype(np.float64)
    sums = csr_matrix(having @ role)
    squares = np.asarray(sums.multiply(sums).sum(axis=1)).ravel()
    pairs = np.maximum(counts * (counts - 1.0), 1.0)
    coherence = np.maximum(squares - having @ lengths, 0.0) / pairs
    shrunk = (coherence * counts + base * _COHERENCE_PRIOR) / (counts + _COHERENCE_PRIOR)
    factors = (np.maximum(shrunk, base) / base) ** power
    weights = space.weights.copy()
    weights[: space.n_text] *= factors.astype(np.float32)
    return replace(space, weights=weights), unit(csr_matrix(text @ _diagonal(factors))), role


def _usual_terms(text: csr_matrix, role: csr_matrix) -> csr_matrix:
    """Return, for each role gram, the mean text of the postings whose title has it."""
    return unit(_strongest(csr_matrix(role.T.tocsr() @ text), _TERMS_OF_GRAM))


def _filled(space: JobSpace, text: csr_matrix, role: csr_matrix, usual: csr_matrix) -> csr_matrix:
    """Return ``text`` with the terms usual for each role beside its own.

    Short postings say little; what others with such a title say makes up for it. Rare grams of
    the title tell more than frequent ones, hence the squares.
    """
    expected = unit(_strongest(csr_matrix(role.multiply(role) @ usual), space.params.usual_terms))
    return unit(csr_matrix(text + space.params.usual_weight * expected))


def _known_titles(space: JobSpace, titles: Iterable[str]) -> tuple[str, ...]:
    known = set(space.roles)
    kept: dict[tuple[str, ...], str] = {}
    for title in titles:
        role = role_words(title)
        if role and len(raw_words(title)) <= _MAX_TITLE_WORDS and known.issuperset(role):
            kept.setdefault(role, title)
    return tuple(kept.values())


def _title_matrix(space: JobSpace, titles: Sequence[str], usual: csr_matrix) -> csr_matrix:
    text = space.text_rows((title, "", ()) for title in titles)
    role = space.title_rows(titles)
    return space.join(_filled(space, text, role, usual), role)


def _asked(each: _Read[H], importance: Importance[H]) -> tuple[tuple[str, float], ...]:
    stress = importance(each.posting.text, each.hits)
    asked = [
        (hit.name, float(stress.get(hit.name, 0.0)))
        for hit in each.hits
        if hit.stated and stress.get(hit.name, 0.0) >= ASKED
    ]
    return tuple(sorted(asked, key=lambda pair: (-pair[1], pair[0])))


def _own(matrix: csr_matrix, said: csr_matrix) -> NDArray[np.bool_]:
    """Return which entries of ``matrix`` stand in ``said`` too."""
    n_columns = np.int64(matrix.shape[1])
    keys, said_keys = (
        np.repeat(np.arange(m.shape[0]), np.diff(m.indptr)) * n_columns + m.indices
        for m in (matrix, said)
    )
    return np.isin(keys, said_keys)


def _strongest(matrix: csr_matrix, count: int) -> csr_matrix:
    """Return ``matrix`` with the ``count`` largest entries of each row, ties by lower column."""
    matrix.sort_indices()
    kept: list[np.ndarray] = []
    lengths: list[int] = []
    for first, last in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        order = np.argsort(-matrix.data[first:last], kind="stable")[:count]
        kept.append(first + np.sort(order))
        lengths.append(len(order))
    chosen = np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)
    pointers = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return csr_matrix((matrix.data[chosen], matrix.indices[chosen], pointers), shape=matrix.shape)


def _pattern(matrix: csr_matrix) -> csr_matrix:
    """Return ``matrix`` with ones for its entries."""
    ones = np.ones(len(matrix.data), dtype=np.float32)
    return csr_matrix((ones, matrix.indices, matrix.indptr), shape=matrix.shape)


def _diagonal(values: np.ndarray) -> csr_matrix:
    return csr_matrix(diags_array(values.astype(np.float32)))
