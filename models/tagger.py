"""The tagger of skill phrases: what a text asks for or shows, beyond what the taxonomy names.

Two chains, one for what somebody does and one for what somebody knows, since the second kind may
stand within the first ("develop services in Go").
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.sparse import vstack

from models.errors import CareerlensError
from models.skill_matcher import SkillMatcher
from models.tagger_chain import TAGS, believe, best_spans
from models.tagger_features import FeatureReader, ReadSentence, folded
from models.tagger_learning import learn
from models.tagger_names import named
from models.tagger_net import Learnt, Seen, see
from models.tagger_params import TaggerParams
from models.tagger_text import (
    LABELS,
    Label,
    Sentence,
    TaggedSentence,
    TaggedSpan,
    TaggedText,
    split_sentences,
    tagged_texts,
    tags,
)
from models.word_classes import Company, learn_company

__all__ = [
    "LABELS",
    "Label",
    "NothingToLearnError",
    "TaggedSentence",
    "TaggedSpan",
    "TaggedText",
    "Tagger",
    "TaggerParams",
    "fit_tagger",
    "named",
    "tagged_texts",
]

# Marks that a phrase has at its end only if it has their fellow inside.
_CLOSING = {")": "(", "]": "["}


class NothingToLearnError(CareerlensError):
    """The tagged sentences have no words."""


class Tagger:
    """Marks phrases that speak of a skill; made by :func:`fit_tagger`, or read from a bundle.

    Parameters
    ----------
    matcher : SkillMatcher
    company : Company
        What words are like.
    features : pair of sequence of str
        Names of the features of words by themselves, and of those of their company, by number.
    learnt : Learnt
    threshold : float
        Least probability of a span that is marked.
    """

    def __init__(
        self,
        matcher: SkillMatcher,
        company: Company,
        features: tuple[Sequence[str], Sequence[str]],
        learnt: Learnt,
        threshold: float,
    ) -> None:
        self.company = company
        self.features = features
        self.learnt = learnt
        self.threshold = threshold
        own, around = ({name: row for row, name in enumerate(names)} for names in features)
        self._sizes = len(own), len(around)
        self._reader = FeatureReader(
            matcher,
            company.classes,
            lambda names: [own[name] for name in names if name in own],
            lambda names: [around[name] for name in names if name in around],
        )
        self._row_of, self._vectors = _table(company)

    def tag(self, text: str) -> list[TaggedSpan]:
        """Return the spans of ``text``, in order; those of one label do not overlap.

        Offsets are code points of the raw text, and time is linear in its length.
        """
        read = list(self._reader.read(text))
        if not read:
            return []
        seen = see(read, self._sizes, self._row_of, self._vectors)
        scores = self.learnt.scores(seen)
        believed = believe(scores, seen.lengths.tolist(), self.learnt.transitions)
        return sorted(
            TaggedSpan(start, end, label)
            for sentence, beliefs in zip(read, believed, strict=True)
            for label, of_chain in zip(LABELS, beliefs, strict=True)
            for first, last in best_spans(of_chain, self.threshold)
            for start, end in _places(text, sentence.words, first, last, label)
        )


def fit_tagger(
    sentences: Iterable[TaggedSentence],
    matcher: SkillMatcher,
    params: TaggerParams,
    unlabelled: Iterable[str] = (),
) -> Tagger:
    """Return the tagger learnt from ``sentences``; equal inputs give equal bytes.

    Parameters
    ----------
    sentences : iterable of TaggedSentence
    matcher : SkillMatcher
        The tagger must answer with the one it was fitted with.
    params : TaggerParams
    unlabelled : iterable of str
        Plain texts of the same kind, from which, beside the sentences, it is learnt what words are
        like.

    Raises
    ------
    NothingToLearnError
        If the sentences have no words.
    """
    texts = tagged_texts(sentences)
    plain = [*unlabelled, *(each.text for each in texts)]
    company = learn_company(
        (list(map(folded, sentence.words)) for text in plain for sentence in split_sentences(text)),
        params.word_classes,
        params.word_min_count,
    )
    numbers: tuple[dict[str, int], dict[str, int]] = ({}, {})
    own, around = numbers
    reader = FeatureReader(
        matcher,
        company.classes,
        lambda names: [own.setdefault(name, len(own)) for name in names],
        lambda names: [around.setdefault(name, len(around)) for name in names],
    )
    read = [(text, lines) for text in texts if (lines := list(reader.read(text.text)))]
    if not read:
        raise NothingToLearnError("the tagged sentences have no words; give texts to learn from")
    row_of, vectors = _table(company)
    sizes = len(own), len(around)
    seen = _joined([see(lines, sizes, row_of, vectors) for _, lines in read])
    kept = [
        sorted(
            (name, number) for name, number in names.items() if counts[number] >= params.min_freq
        )
        for names, counts in zip(
            numbers, (matrix.getnnz(axis=0) for matrix in (seen.own, seen.company)), strict=True
        )
    ]
    columns = [[number for _, number in names] for names in kept]
    learnt = learn(
        seen._replace(own=seen.own[:, columns[0]], company=seen.company[:, columns[1]]),
        np.concatenate([_answers(text, lines) for text, lines in read]),
        params,
    )
    names_of = [[name for name, _ in names] for names in kept]
    return Tagger(matcher, company, (names_of[0], names_of[1]), learnt, params.threshold)


def _table(company: Company) -> tuple[dict[str, int], np.ndarray]:
    """Return the rows of words, and vectors of which the first is for all others."""
    row_of = {word: row for row, word in enumerate(company.classes, start=1)}
    nothing = np.zeros((1, company.vectors.shape[1]), dtype=np.float32)
    return row_of, np.concatenate([nothing, company.vectors.astype(np.float32)])


def _joined(texts: Sequence[Seen]) -> Seen:
    return Seen(
        vstack([seen.own for seen in texts], format="csr"),
        vstack([seen.company for seen in texts], format="csr"),
        np.concatenate([seen.vectors for seen in texts]),
        np.concatenate([seen.lines for seen in texts]),
        np.concatenate([seen.lengths for seen in texts]),
    )


def _answers(text: TaggedText, sentences: Iterable[ReadSentence]) -> np.ndarray:
    """Return the columns of the right tags, shape (n_words, n_labels)."""
    places = {label: text.places(label) for label in LABELS}
    return np.array(
        [
            [TAGS.index(tag) for tag in of_word]
            for sentence in sentences
            for of_word in zip(
                *(tags(sentence.words, places[label]) for label in LABELS), strict=True
            )
        ]
    )


def _places(
    text: str, sentence: Sentence, first: int, last: int, label: Label
) -> Iterator[tuple[int, int]]:
    """Yield where the phrase of words ``[first, last)`` stands, without marks at its ends.

    What somebody knows ends at a comma; what somebody does may go on ("build, test and ship").
    """
    cuts = [first]
    if label == "knowledge":
        ends = sentence.places
        cuts += (
            word
            for word in range(first + 1, last)
            if "," in text[ends[word - 1][1] : ends[word][0]]
        )
    for begin, end in zip(cuts, [*cuts[1:], last], strict=True):
        place = _without_marks(sentence, begin, end)
        if place is not None:
            yield place


def _without_marks(sentence: Sentence, first: int, last: int) -> tuple[int, int] | None:
    words = sentence.words
    while first < last and not (words[first][0].isalnum() or words[first].startswith(".")):
        first += 1
    while first < last and not _may_end(words, first, last):
        last -= 1
    if first == last:
        return None
    return sentence.places[first][0], sentence.places[last - 1][1]


def _may_end(words: Sequence[str], first: int, last: int) -> bool:
    word = words[last - 1]
    if word[0].isalnum() or word[-1].isalnum():
        return True
    return word in _CLOSING and any(_CLOSING[word] in other for other in words[first : last - 1])
