"""The tagger of skill phrases: what a text asks for or shows, beyond what the taxonomy names.

Two chains, one for what somebody does and one for what somebody knows, since the second kind may
stand within the first ("develop services in Go"). python-crfsuite learns them; its weights are then
kept as plain arrays, so that answering runs no foreign parser on a file.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pycrfsuite  # type: ignore[import-untyped, import-not-found, unused-ignore]
from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import CareerlensError, FormatError
from models.skill_matcher import SkillMatcher
from models.tagger_chain import (
    ALONE,
    BEGIN,
    END,
    INSIDE,
    NEVER,
    OUTSIDE,
    TAGS,
    believe,
    best_spans,
)
from models.tagger_features import FeatureReader, folded
from models.tagger_names import named
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
from models.word_classes import Classes, learn_classes

__all__ = [
    "LABELS",
    "TAGGER_FILES",
    "Label",
    "NothingToLearnError",
    "TaggedSentence",
    "TaggedSpan",
    "TaggedText",
    "Tagger",
    "TaggerParams",
    "dump_tagger",
    "fit_tagger",
    "load_tagger",
    "named",
    "tagged_texts",
]

TAGGER_FILES = ("tagger.json", "tagger.weights")

_DESCRIPTION_FILE, _WEIGHTS_FILE = TAGGER_FILES
_FORMAT = 2
_WEIGHT = np.dtype("<f4")

# Marks that a phrase has at its end only if it has their fellow inside.
_CLOSING = {")": "(", "]": "["}


class NothingToLearnError(CareerlensError):
    """The tagged sentences have no words."""


@dataclass(frozen=True)
class _Chains:
    """What has been learnt.

    Attributes
    ----------
    features : dict of str to int
        Rows of ``weights``; the first row belongs to no feature and is 0.
    weights : ndarray of float32, shape (n_features + 1, n_labels, n_tags)
    transitions : ndarray of float64, shape (n_labels, n_tags + 1, n_tags)
        See :func:`models.tagger_chain.believe`.
    """

    features: Mapping[str, int]
    weights: np.ndarray
    transitions: np.ndarray


class Tagger:
    """Marks phrases that speak of a skill; made by :func:`fit_tagger` or :func:`load_tagger`."""

    def __init__(
        self,
        matcher: SkillMatcher,
        classes: Mapping[str, Classes],
        chains: _Chains,
        threshold: float,
    ) -> None:
        self.classes = classes
        self.chains = chains
        self.threshold = threshold
        known = chains.features
        self._reader = FeatureReader(
            matcher, classes, lambda names: [known[name] for name in names if name in known]
        )

    def tag(self, text: str) -> list[TaggedSpan]:
        """Return the spans of ``text``, in order; those of one label do not overlap.

        Offsets are code points of the raw text, and time is linear in its length.
        """
        sentences: list[Sentence] = []
        rows: list[int] = []
        starts: list[int] = []
        for sentence, features in self._reader.read(text):
            sentences.append(sentence)
            for row in features:
                starts.append(len(rows))
                rows.append(0)
                rows += row
        if not sentences:
            return []
        scores = np.add.reduceat(self.chains.weights[rows], starts, axis=0, dtype=np.float64)
        lengths = [len(sentence.words) for sentence in sentences]
        return sorted(
            TaggedSpan(start, end, label)
            for sentence, beliefs in zip(
                sentences, believe(scores, lengths, self.chains.transitions), strict=True
            )
            for label, of_chain in zip(LABELS, beliefs, strict=True)
            for first, last in best_spans(of_chain, self.threshold)
            for start, end in _places(text, sentence, first, last, label)
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
        Plain texts of the same kind, from which, beside the sentences, classes of words are learnt.

    Raises
    ------
    NothingToLearnError
        If the sentences have no words.
    """
    texts = tagged_texts(sentences)
    plain = [*unlabelled, *(each.text for each in texts)]
    classes = learn_classes(
        (list(map(folded, sentence.words)) for text in plain for sentence in split_sentences(text)),
        params.word_classes,
        params.word_min_count,
    )
    seen: dict[str, int] = {}
    examples: list[list[list[int]]] = []
    answers: dict[Label, list[list[str]]] = {label: [] for label in LABELS}
    reader = FeatureReader(
        matcher, classes, lambda names: [seen.setdefault(name, len(seen)) for name in names]
    )
    for text in texts:
        places = {label: text.places(label) for label in LABELS}
        for sentence, features in reader.read(text.text):
            examples.append(features)
            for label in LABELS:
                answers[label].append(tags(sentence, places[label]))
    if not examples:
        raise NothingToLearnError("the tagged sentences have no words; give texts to learn from")
    frequent = _frequent(examples, len(seen), params.min_freq)
    learnt = [_learn(frequent, answers[label], params) for label in LABELS]
    kept = {number for weights, _ in learnt for number, _ in weights}
    names = sorted((name, number) for name, number in seen.items() if number in kept)
    row_of = {number: row for row, (_, number) in enumerate(names, start=1)}
    weights = np.zeros((len(row_of) + 1, len(LABELS), len(TAGS)), dtype=_WEIGHT)
    for chain, (of_chain, _) in enumerate(learnt):
        for (number, tag), weight in of_chain.items():
            weights[row_of[number], chain, tag] = weight
    chains = _Chains(
        {name: row_of[number] for name, number in names},
        weights,
        np.stack([transitions for _, transitions in learnt]),
    )
    return Tagger(matcher, classes, chains, params.threshold)


class _Description(BaseModel):
    """All of a tagger but its weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    threshold: float
    words: tuple[str, ...]
    classes: tuple[tuple[int, ...], ...]
    features: tuple[str, ...]
    transitions: tuple[tuple[tuple[float, ...], ...], ...]


def dump_tagger(tagger: Tagger) -> dict[str, bytes]:
    """Return the files of ``tagger`` by name; equal bytes for equal taggers."""
    described = {
        "format": _FORMAT,
        "threshold": tagger.threshold,
        "words": list(tagger.classes),
        "classes": list(tagger.classes.values()),
        "features": list(tagger.chains.features),
        "transitions": tagger.chains.transitions.tolist(),
    }
    return {
        _DESCRIPTION_FILE: json.dumps(described, separators=(",", ":")).encode("ascii"),
        _WEIGHTS_FILE: tagger.chains.weights[1:].tobytes(),
    }


def load_tagger(contents: Mapping[str, bytes], matcher: SkillMatcher, place: str) -> Tagger:
    """Return the tagger in ``contents``, the files that :func:`dump_tagger` returned.

    Parameters
    ----------
    matcher : SkillMatcher
        The one that the tagger was fitted with.
    place : str
        Where the files were read, for errors.

    Raises
    ------
    FormatError
        If a file is missing or unreadable, or the two do not belong together.
    """
    try:
        described = _Description.model_validate_json(contents[_DESCRIPTION_FILE])
        if described.format != _FORMAT:
            raise ValueError(f"its format is {described.format}, and this code reads {_FORMAT}")
        if not 0.0 < described.threshold < 1.0:
            raise ValueError(f"the threshold {described.threshold} is no probability")
        classes = _checked_classes(described)
        chains = _checked_chains(described, contents[_WEIGHTS_FILE])
    except KeyError as error:
        raise FormatError(f"{place} has no {error.args[0]}") from error
    except (ValidationError, ValueError) as error:
        raise FormatError(f"{place} holds no tagger that can be read: {error}") from error
    return Tagger(matcher, classes, chains, described.threshold)


def _checked_classes(described: _Description) -> dict[str, Classes]:
    if len({len(each) for each in described.classes}) > 1:
        raise ValueError("some words have more classes than others")
    return dict(zip(described.words, described.classes, strict=True))


def _checked_chains(described: _Description, content: bytes) -> _Chains:
    shape = (len(described.features), len(LABELS), len(TAGS))
    learnt = np.frombuffer(content, dtype=_WEIGHT).reshape(shape)
    transitions = np.array(described.transitions, dtype=np.float64)
    if transitions.shape != (len(LABELS), len(TAGS) + 1, len(TAGS)):
        raise ValueError(f"transitions have the shape {transitions.shape}")
    if not (np.isfinite(learnt).all() and np.isfinite(transitions).all()):
        raise ValueError("a weight is no finite number")
    outside, within = [OUTSIDE, END, ALONE, len(TAGS)], [BEGIN, INSIDE]
    if (transitions[:, outside, OUTSIDE] <= NEVER).any() or (
        transitions[:, within, END] <= NEVER
    ).any():
        raise ValueError("a chain can never leave a span")
    features = {name: row for row, name in enumerate(described.features, start=1)}
    if len(features) < len(described.features):
        raise ValueError("a feature is there twice")
    weights = np.concatenate([np.zeros((1, *shape[1:]), dtype=_WEIGHT), learnt])
    return _Chains(features, weights, transitions)


def _frequent(
    examples: Iterable[Sequence[Sequence[int]]], size: int, min_freq: int
) -> list[list[list[str]]]:
    """Return the features that enough words have, named by their numbers for CRFsuite."""
    counts = np.zeros(size, dtype=np.int64)
    for example in examples:
        for row in example:
            counts[row] += 1
    names = [str(number) if count >= min_freq else None for number, count in enumerate(counts)]
    return [
        [[name for number in row if (name := names[number]) is not None] for row in example]
        for example in examples
    ]


def _learn(
    examples: Iterable[Sequence[Sequence[str]]],
    answers: Iterable[Sequence[str]],
    params: TaggerParams,
) -> tuple[dict[tuple[int, int], float], np.ndarray]:
    """Return the weights of one chain by feature number and tag, and its transitions."""
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params(
        {
            "c1": params.c1,
            "c2": params.c2,
            "max_iterations": params.max_iterations,
            "feature.possible_transitions": True,
        }
    )
    for example, answer in zip(examples, answers, strict=True):
        trainer.append(example, answer)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "chain")
        trainer.train(path)
        chain = pycrfsuite.Tagger()
        chain.open(path)
        learnt = chain.info()
        chain.close()
    transitions = np.zeros((len(TAGS) + 1, len(TAGS)))
    for (before, after), weight in learnt.transitions.items():
        transitions[TAGS.index(before), TAGS.index(after)] = weight
    # What nobody marked is never found.
    for tag in (BEGIN, INSIDE, ALONE):
        if TAGS[tag] not in learnt.labels:
            transitions[:, tag] = NEVER
    weights = {
        (int(number), TAGS.index(tag)): weight
        for (number, tag), weight in learnt.state_features.items()
    }
    return weights, transitions


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
