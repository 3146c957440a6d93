"""Linear-chain conditional random fields: how likely each span is, and which ones to mark.

A span is worth marking if the chance that it stands there with exactly these ends is high enough.
That marks more, and more exact, spans than the likeliest sequence of tags does, which leaves out
what is doubtful word by word.

References
----------
Lafferty, McCallum and Pereira 2001, "Conditional random fields" (forward-backward). Goodman 1996,
"Parsing algorithms and metrics": decoding for the measure rather than for the likeliest whole.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

#: The tags of a chain, in the order of its columns: a word is outside of spans, begins one, is
#: inside, ends one, or is one alone. Ends have weights of their own, as beginnings have.
TAGS = ("O", "B", "I", "E", "S")
OUTSIDE, BEGIN, INSIDE, END, ALONE = range(len(TAGS))

#: Weight of what no text has.
NEVER = -100.0

# Which tags may follow each, and the start of a sentence: what has begun must end.
_FOLLOWS = np.array(
    [[(tag in "IE") == (last in ("B", "I")) for tag in TAGS] for last in (*TAGS, "start")]
)

# Sentences worked on at once.
_BATCH = 256


class Beliefs(NamedTuple):
    """What a chain believes of each word of a sentence.

    Attributes
    ----------
    alone : ndarray, shape (n_words,)
        Probability that the word is a span.
    begin : ndarray, shape (n_words,)
        Probability that a span of several words begins here.
    begun : ndarray, shape (n_words,)
        Probability that a span that begins here does not end with the next word.
    inside : ndarray, shape (n_words,)
        Probability that a span that goes on here does not end with the next word.
    """

    alone: np.ndarray
    begin: np.ndarray
    begun: np.ndarray
    inside: np.ndarray


def believe(
    scores: np.ndarray, lengths: Sequence[int], transitions: np.ndarray
) -> list[tuple[Beliefs, ...]]:
    """Return what each chain believes of the words of each sentence.

    Parameters
    ----------
    scores : ndarray of float, shape (n_words, n_chains, n_tags)
        Weights of the tags of every word, sentence after sentence.
    lengths : sequence of int
        Words of each sentence; none is 0.
    transitions : ndarray of float, shape (n_chains, n_tags + 1, n_tags)
        Weights from each tag, and from the start of a sentence, to each. What may not follow does
        not, whatever its weight.
    """
    ends = np.cumsum(lengths)
    found: dict[int, tuple[Beliefs, ...]] = {}
    # Sentences of like length share a batch, so that little of it is padding.
    order = sorted(range(len(lengths)), key=lambda sentence: lengths[sentence])
    for first in range(0, len(order), _BATCH):
        batch = order[first : first + _BATCH]
        sizes = [lengths[sentence] for sentence in batch]
        rows = [np.arange(ends[each] - lengths[each], ends[each]) for each in batch]
        passes = _passes(scores[np.concatenate(rows)], sizes, transitions)
        found |= zip(batch, _beliefs(passes, sizes), strict=True)
    return [found[sentence] for sentence in range(len(lengths))]


def expect(
    scores: np.ndarray, lengths: Sequence[int], transitions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the chains expect of a few sentences; parameters as for :func:`believe`.

    Less what the sentences have, it is the gradient of their negative log-likelihood.

    Returns
    -------
    tags : ndarray, shape (n_words, n_chains, n_tags)
        How likely each word has each tag.
    transitions : ndarray, shape (n_chains, n_tags + 1, n_tags)
        How often each tag follows each, and begins a sentence.
    """
    found = _passes(scores, lengths, transitions)
    seen = np.einsum("pscb,cbt,psct->psc", found.forward[:-1], found.step, found.ahead[:-1])
    follow = found.ahead[:-1] / np.where(seen > 0.0, seen, 1.0)[..., None]
    pairs = np.einsum("pscb,psct->cbt", found.forward[:-1], follow) * found.step
    tags = _scaled(found.forward * found.backward)
    starts = tags[0].sum(axis=0)[:, None]
    place, sentence = _places(lengths)
    return tags[place, sentence], np.concatenate([pairs, starts], axis=1)


def best_spans(beliefs: Beliefs, threshold: float) -> list[tuple[int, int]]:
    """Return the spans of words, first and the one after the last, that are worth marking.

    They do not overlap, and the sum of their probabilities, each less ``threshold``, is the
    greatest possible.
    """
    candidates: dict[int, list[tuple[int, float]]] = {}
    for first, last, probability in _likely(beliefs, threshold):
        candidates.setdefault(last, []).append((first, probability - threshold))
    if not candidates:
        return []
    size = len(beliefs.begin)
    best = [0.0] * (size + 1)
    start_of: list[int | None] = [None] * (size + 1)
    for last in range(1, size + 1):
        best[last] = best[last - 1]
        for first, gain in candidates.get(last, ()):
            if best[first] + gain > best[last]:
                best[last] = best[first] + gain
                start_of[last] = first
    spans: list[tuple[int, int]] = []
    last = size
    while last > 0:
        first_word = start_of[last]
        if first_word is None:
            last -= 1
        else:
            spans.append((first_word, last))
            last = first_word
    return spans[::-1]


def _likely(beliefs: Beliefs, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield the spans whose probability is above ``threshold``, with it."""
    for word in np.flatnonzero(beliefs.alone > threshold).tolist():
        yield word, word + 1, float(beliefs.alone[word])
    begun, inside = beliefs.begun.tolist(), beliefs.inside.tolist()
    for first in np.flatnonzero(beliefs.begin > threshold).tolist():
        reached = float(beliefs.begin[first])
        goes_on = begun[first]
        for last in range(first + 1, len(inside)):
            ends = reached * (1.0 - goes_on)
            if ends > threshold:
                yield first, last + 1, ends
            reached *= goes_on
            if reached <= threshold:
                break
            goes_on = inside[last]


class _Passes(NamedTuple):
    """What forward and backward passes over sentences find, the longest first dimension.

    Attributes
    ----------
    step : ndarray, shape (n_chains, n_tags, n_tags)
        Factors of the transitions.
    forward, backward : ndarray, shape (longest, n_sentences, n_chains, n_tags)
        What the words up to a place, and those after it, say of its tag; each sums to 1.
    ahead : ndarray of the same shape
        What the next word and all after it say of the next tag; 0 where there is none.
    """

    step: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    ahead: np.ndarray


def _passes(scores: np.ndarray, lengths: Sequence[int], transitions: np.ndarray) -> _Passes:
    """Return the passes over sentences; each step is scaled, so that nothing under- or overflows.

    Parameters are those of :func:`believe`.
    """
    factors = np.exp(np.clip(transitions, NEVER, -NEVER))
    factors[(transitions <= NEVER) | ~_FOLLOWS] = 0.0
    step, start = factors[:, : len(TAGS)], factors[:, len(TAGS)]
    sizes = np.asarray(lengths)
    words = np.ones((sizes.max(), len(sizes), *scores.shape[1:]))
    words[_places(lengths)] = np.exp(np.maximum(scores - scores.max(axis=-1, keepdims=True), NEVER))

    forward = np.empty_like(words)
    forward[0] = _scaled(start * words[0])
    for place in range(1, len(words)):
        forward[place] = _scaled((forward[place - 1, :, :, None] @ step)[:, :, 0] * words[place])

    # The last word leaves no span open.
    backward = np.ones_like(words)
    backward[..., [BEGIN, INSIDE]] = 0.0
    ahead = np.zeros_like(words)
    for place in range(len(words) - 2, -1, -1):
        more = (sizes > place + 1)[:, None, None]
        ahead[place] = np.where(more, words[place + 1] * backward[place + 1], 0.0)
        seen = (step @ ahead[place][..., None])[..., 0]
        backward[place] = np.where(
            more, seen / np.where(more, seen.sum(axis=-1, keepdims=True), 1.0), backward[place]
        )
    return _Passes(step, forward, backward, ahead)


def _beliefs(passes: _Passes, lengths: Sequence[int]) -> Iterator[tuple[Beliefs, ...]]:
    """Yield the beliefs of sentences of ``lengths`` words; see :func:`believe`."""
    step = passes.step
    believed = _scaled(passes.forward * passes.backward)
    seen = (step @ passes.ahead[..., None])[..., 0]
    inside = passes.ahead[..., [INSIDE]] * step[:, :, INSIDE]
    goes_on = inside / np.where(seen > 0.0, seen, 1.0)
    for row, size in enumerate(lengths):
        yield tuple(
            Beliefs(
                believed[:size, row, chain, ALONE],
                believed[:size, row, chain, BEGIN],
                goes_on[:size, row, chain, BEGIN],
                goes_on[:size, row, chain, INSIDE],
            )
            for chain in range(len(step))
        )


def _places(lengths: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each word in its sentence, and the number of the sentence."""
    ends = np.cumsum(lengths)
    sentences = np.repeat(np.arange(len(ends)), lengths)
    return np.arange(len(sentences)) - (ends - lengths)[sentences], sentences


def _scaled(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / values.sum(axis=-1, keepdims=True))
