"""English by its commonest words, and py3langid's reading of any text, in compiled code."""

from typing import NamedTuple

import numpy as np

from models.cleaning_layout import Words, number_of, words_at
from models.native import Number, brief_kernel, grid_at, leaf, line_at, opener

#: What a text is where it has no label: English by its words, none that can be told, and one of
#: two that lie too close together for sums in another order to tell them apart.
ENGLISH, UNTOLD, NEAR = -1, -2, -3

# Half the distance between two float32 numbers, in the scale of the lesser.
_ROUNDING = 2.0**-24

# What the exponents of the library's numbers lack when their bits are moved into wider ones.
_WIDER = np.float32(2.0**112)

_APOSTROPHE, _TO_SMALL = 39, 32


class Tongues(NamedTuple):
    """What is known of languages.

    Attributes
    ----------
    common : Words
        The commonest English ones.
    moves : ndarray of uint32
        The states that follow on each byte, one row of 256 after the other.
    rows : ndarray of uint32, shape (n_states,)
        The row of each state.
    features : ndarray of int64, shape (n_states,)
        What a state is a sign of, -1 for nothing.
    weights : ndarray of uint16, shape (n_features, n_labels)
        The log-probability of each sign in each language: the bits of a float16.
    priors : ndarray of float32, shape (n_labels,)
    same : ndarray of int64, shape (n, 2)
        Labels that are one language, the second of which is no answer.
    english : ndarray of int64, shape (1,)
        The label of English.
    shares : ndarray of float64, shape (2,)
        The share of common words from which a text is English, and the probability from which a
        language is named.
    telling : ndarray of int64, shape (1,)
        How many words of two letters and more tell.
    """

    common: Words
    moves: np.ndarray
    rows: np.ndarray
    features: np.ndarray
    weights: np.ndarray
    priors: np.ndarray
    same: np.ndarray
    english: np.ndarray
    shares: np.ndarray
    telling: np.ndarray


@opener
def tongues_at(places: np.ndarray) -> Tongues:
    """Return what ``places`` tells of languages, for kernels."""
    return Tongues(
        words_at(places, 0),
        line_at(places, 3, np.uint32),
        line_at(places, 4, np.uint32),
        line_at(places, 5, np.int64),
        grid_at(places, 6, np.uint16),
        line_at(places, 7, np.float32),
        grid_at(places, 8, np.int64),
        line_at(places, 9, np.int64),
        line_at(places, 10, np.float64),
        line_at(places, 11, np.int64),
    )


@leaf
def is_letter(byte: Number) -> Number:
    """Whether a byte is a letter of ASCII."""
    small = byte | _TO_SMALL
    return 97 <= small <= 122


@leaf
def by_words(
    known: Tongues, data: np.ndarray, start: Number, stop: Number, small: np.ndarray
) -> Number:
    """Return what the words of an ASCII text tell: ``ENGLISH``, ``UNTOLD`` or 0 for nothing yet."""
    words, common, telling = 0, 0, 0
    at = start
    while at < stop:
        if not is_letter(data[at]):
            at += 1
            continue
        first = at
        while at < stop and is_letter(data[at]):
            at += 1
        if at + 1 < stop and data[at] == _APOSTROPHE and is_letter(data[at + 1]):
            at += 2
            while at < stop and is_letter(data[at]):
                at += 1
        for each in range(first, at):
            small[each - first] = data[each] | _TO_SMALL
        words += 1
        telling += at - first > 1
        common += number_of(known.common, small, 0, at - first) > 0
    if words == 0:
        return UNTOLD
    if common >= known.shares[0] * words:
        return ENGLISH
    return UNTOLD if telling < known.telling[0] else 0


@leaf
def is_shouted(data: np.ndarray, start: Number, stop: Number) -> Number:
    """Whether an ASCII text has capital letters and no small ones."""
    capitals = 0
    for at in range(start, stop):
        if is_letter(data[at]):
            if data[at] & _TO_SMALL:
                return False
            capitals += 1
    return capitals > 0


@leaf
def find_signs(
    known: Tongues,
    data: np.ndarray,
    start: Number,
    stop: Number,
    lowered: Number,
    signs: np.ndarray,
    times: np.ndarray,
    slots: np.ndarray,
) -> Number:
    """Write down the signs in a text and how often each is there; return how many differ.

    Bits of ``lowered`` are set in what is a letter.
    """
    mask = len(slots) - 1
    slots[:] = 0
    n_signs = 0
    state = np.int64(0)
    for at in range(start, stop):
        byte = data[at]
        if is_letter(byte):
            byte |= lowered
        state = np.int64(known.moves[np.int64(known.rows[state]) * 256 + byte])
        sign = known.features[state]
        if sign < 0:
            continue
        slot = sign & mask
        while slots[slot] > 0 and signs[slots[slot] - 1] != sign:
            slot = (slot + 1) & mask
        if slots[slot] == 0:
            signs[n_signs], times[n_signs] = sign, 0
            n_signs += 1
            slots[slot] = n_signs
        times[slots[slot] - 1] += 1
    return n_signs


@leaf
def add_sign(
    known: Tongues,
    sign: Number,
    count: Number,
    bits: np.ndarray,
    numbers: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Add what a sign that is there ``count`` times says of every language.

    ``bits`` and ``numbers`` are one room, of which both see the other's.
    """
    for label in range(len(sums)):
        half = np.uint32(known.weights[sign, label])
        magnitude = (half & np.uint32(0x7FFF)) << np.uint32(13)
        bits[label] = magnitude | (half & np.uint32(0x8000)) << np.uint32(16)
    weight = np.float32(np.log1p(np.float64(count))) * _WIDER
    for label in range(len(sums)):
        sums[label] += weight * numbers[label]


@leaf
def decide(
    known: Tongues, sums: np.ndarray, odds: np.ndarray, n_signs: Number, size: Number
) -> Number:
    """Return the label of a text of ``size`` bytes, ``UNTOLD`` or ``NEAR``.

    The library adds the same numbers up in another order. What that may change is bounded by the
    number of summands and their sizes, all of one sign; what is closer is not told here.
    """
    highest, largest = np.float64(sums[0]), 0.0
    for label in range(len(sums)):
        prior = np.float64(known.priors[label])
        highest = max(highest, np.float64(sums[label]))
        largest = max(largest, abs(sums[label] - prior) + abs(prior))
    scale = 1.0 / np.sqrt(np.float64(size))
    doubt = 4.0 * (n_signs + 8) * _ROUNDING * largest * scale + 1e-4
    total = 0.0
    for label in range(len(sums)):
        odds[label] = np.exp((np.float64(sums[label]) - highest) * scale)
        total += odds[label]
    for pair in range(len(known.same)):
        one, other = known.same[pair]
        odds[one] += odds[other]
        odds[other] = 0.0
    first, best, second = 0, -1.0, -1.0
    for label in range(len(odds)):
        if odds[label] > best:
            first, best, second = label, odds[label], best
        else:
            second = max(second, odds[label])
    if second >= best * (1.0 - doubt):
        return NEAR
    if first == known.english[0]:
        return ENGLISH
    confidence = best / total
    if abs(confidence - known.shares[1]) <= doubt:
        return NEAR
    return first if confidence > known.shares[1] else UNTOLD


@brief_kernel
def tell(places: np.ndarray, data: np.ndarray, sizes: np.ndarray) -> None:
    """Write the label of each text, or what else is known of it, in the place of its size.

    Parameters
    ----------
    places : ndarray of int64
        Of the tongues.
    data : ndarray of uint8
        The texts in UTF-8, one after the other.
    sizes : ndarray of int64, shape (n_texts,)
        The bytes of each. Of those that are ASCII, the words are looked at first; the others are
        as the library encodes them, and their sizes below 0.
    """
    known = tongues_at(places[0])
    longest = 1
    for size in sizes:
        longest = max(longest, abs(size))
    n_slots = 2
    while n_slots < 2 * longest:
        n_slots *= 2
    small = np.empty(longest, np.uint32)
    signs, times = np.empty(longest, np.int64), np.empty(longest, np.int64)
    slots = np.empty(n_slots, np.int32)
    bits, sums = np.empty(len(known.priors), np.uint32), np.empty(len(known.priors), np.float32)
    numbers, odds = bits.view(np.float32), np.empty(len(known.priors), np.float64)
    stop = 0
    for text in range(len(sizes)):
        size = abs(sizes[text])
        start, stop = stop, stop + size
        lowered = np.uint8(0)
        if sizes[text] >= 0:
            sizes[text] = by_words(known, data, start, stop, small)
            if sizes[text] < 0:
                continue
            lowered = np.uint8(_TO_SMALL * is_shouted(data, start, stop))
        n_signs = find_signs(known, data, start, stop, lowered, signs, times, slots)
        sizes[text] = UNTOLD
        if n_signs > 0:
            sums[:] = known.priors
            for sign in range(n_signs):
                add_sign(known, signs[sign], times[sign], bits, numbers, sums)
            sizes[text] = decide(known, sums, odds, n_signs, size)
