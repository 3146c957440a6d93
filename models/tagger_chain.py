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
        padded = np.zeros((max(sizes), len(batch), *scores.shape[1:]))
        for row, (sentence, size) in enumerate(zip(batch, sizes, strict=True)):
            padded[:size, row] = scores[ends[sentence] - size : ends[sentence]]
        found |= zip(batch, _batch(padded, np.array(sizes), transitions), strict=True)
    return [found[sentence] for sentence in range(len(lengths))]


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


def _batch(
    padded: np.ndarray, sizes: np.ndarray, transitions: np.ndarray
) -> Iterator[tuple[Beliefs, ...]]:
    """Yield the beliefs of sentences of ``sizes`` words; see :func:`believe`.

    Each step is scaled to sum to 1, so that nothing under- or overflows.

    Parameters
    ----------
    padded : ndarray of float, shape (longest, n_sentences, n_chains, n_tags)
    """
    factors = np.exp(np.clip(transitions, NEVER, -NEVER))
    factors[(transitions <= NEVER) | ~_FOLLOWS] = 0.0
    step, start = factors[:, : len(TAGS)], factors[:, len(TAGS)]
    words = np.exp(np.maximum(padded - padded.max(axis=-1, keepdims=True), NEVER))

    forward = np.empty_like(words)
    forward[0] = _scaled(start * words[0])
    for place in range(1, len(words)):
        forward[place] = _scaled((forward[place - 1, :, :, None] @ step)[:, :, 0] * words[place])

    # backward[place] looks from the word at place to all words after it.
    # The last word leaves no span open.
    backward = np.ones_like(words)
    backward[..., [BEGIN, INSIDE]] = 0.0
    goes_on = np.zeros_like(words)
    for place in range(len(words) - 2, -1, -1):
        ahead = words[place + 1] * backward[place + 1]
        seen = (step @ ahead[..., None])[..., 0]
        more = (sizes > place + 1)[:, None, None]
        goes_on[place] = np.where(more, ahead[..., [INSIDE]] * step[:, :, INSIDE] / seen, 0.0)
        backward[place] = np.where(more, _scaled(seen), backward[place])

    believed = _scaled(forward * backward)
    for row, size in enumerate(sizes.tolist()):
        yield tuple(
            Beliefs(
                believed[:size, row, chain, ALONE],
                believed[:size, row, chain, BEGIN],
                goes_on[:size, row, chain, BEGIN],
                goes_on[:size, row, chain, INSIDE],
            )
            for chain in range(len(transitions))
        )


def _scaled(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / values.sum(axis=-1, keepdims=True))
