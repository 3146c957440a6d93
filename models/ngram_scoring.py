"""From the n-grams of normalised texts to scores and the words behind them, in compiled code.

Sums are those of TF-IDF and linear heads, norms included; the order of addition differs from
scikit-learn's, and so do the last digits.
"""

import numpy as np

from models.native import Number, kernel, leaf
from models.ngram_finding import divide, find_tokens, read
from models.ngram_layout import WORD, Notes, Table, lay_out, room_for

_FIBONACCI = np.uint64(0x9E3779B97F4A7C15)


@leaf
def weigh(table: Table, count: Number) -> Number:
    """Return what a term that is there ``count`` times counts, before its idf."""
    if count < len(table.term_weights):
        return table.term_weights[count]
    if table.sublinear[0]:
        return 1.0 + np.log(np.float64(count))
    return np.float64(count)


@leaf
def tally(table: Table, notes: Notes, first: Number, last: Number) -> Number:
    """Count what was found from ``first`` up to ``last``; return how many n-grams differ."""
    uids, times, slots = notes.uids, notes.times, notes.slots
    different, done = notes.different, notes.done
    mask = 1
    while mask < 2 * (last - first):
        mask *= 2
    mask -= 1
    n_different = 0
    for at in range(first, last):
        uid = uids[at]
        slot = np.int64((np.uint64(uid) * _FIBONACCI) >> np.uint64(32)) & mask
        while slots[slot] >= 0 and different[slots[slot], 0] != uid:
            slot = (slot + 1) & mask
        number = slots[slot]
        if number < 0:
            number = np.int32(n_different)
            slots[slot] = number
            different[number, 0], different[number, 1] = uid, 0
            done[number, 0], done[number, 1] = 0.0, 0.0
            n_different += 1
        if times[at] > 0:
            different[number, 1] += times[at]
        else:
            different[number, 1] -= times[at]
            weight = weigh(table, -times[at])
            done[number, 0] += weight
            done[number, 1] += weight * weight
        uids[at] = number
    slots[: mask + 1] = -1
    return n_different


@leaf
def add_up(table: Table, notes: Notes, n_different: Number, logits: np.ndarray) -> None:
    """Add one block's part of every logit, and leave each model's norm in ``sums``."""
    sums, different, done = notes.sums, notes.different, notes.done
    n_models = len(sums) - len(logits)
    n_missing = 0
    for number in range(n_different):
        weight = weigh(table, different[number, 1])
        missing, missing_square = weight - done[number, 0], weight * weight - done[number, 1]
        notes.owed[n_missing, 0], notes.owed[n_missing, 1] = missing, missing_square
        notes.rows[n_missing] = different[number, 0]
        # Else it is in one chunk alone, and the sums have it.
        n_missing += (missing != 0.0) | (missing_square != 0.0)
    for number in range(n_missing):
        missing, missing_square = notes.owed[number]
        row = table.records[notes.rows[number]]
        for model in range(n_models):
            sums[model] += missing_square * row[model]
        for column in range(n_models, len(sums)):
            sums[column] += missing * row[column]
    for model in range(n_models):
        sums[model] = np.sqrt(sums[model])
    for head in range(len(logits)):
        norm = sums[table.head_models[head]]
        if norm > 0.0:
            logits[head] += sums[n_models + head] / norm


@kernel
def score(
    table: Table, codes: np.ndarray, bounds: np.ndarray, logistic: Number, scores: np.ndarray
) -> None:
    """Write the probabilities of normalised texts.

    Parameters
    ----------
    table : Table
    codes : ndarray of uint32
        Code points.
    bounds : ndarray of int64, shape (n_texts, 2)
        Where each text is in ``codes``.
    logistic : bool
        Without, their logarithmic odds.
    scores : ndarray of float64, shape (n_texts, n_heads)
    """
    longest = 0
    for text in range(len(bounds)):
        longest = max(longest, bounds[text, 1] - bounds[text, 0])
    score_all(table, codes, bounds, logistic, scores, room_for(table, longest))


@leaf
def score_all(
    table: Table,
    codes: np.ndarray,
    bounds: np.ndarray,
    logistic: Number,
    scores: np.ndarray,
    notes: Notes,
) -> None:
    """Do what :func:`score` does, in room that is there."""
    for text in range(len(bounds)):
        size = lay_out(table, codes, bounds[text, 0], bounds[text, 1], notes)
        n_chars, n_found, _ = read(table, notes, size)
        logits = scores[text]
        for head in range(len(logits)):
            logits[head] = table.intercepts[head]
        add_up(table, notes, tally(table, notes, 0, n_chars), logits)
        notes.sums[:] = 0.0
        add_up(table, notes, tally(table, notes, n_chars, n_found), logits)
        for head in range(len(logits) if logistic else 0):
            logits[head] = 1.0 / (1.0 + np.exp(-logits[head]))


@leaf
def tell_apart(codes: np.ndarray, bounds: np.ndarray, rows: np.ndarray) -> Number:
    """Keep what differs of texts that were cleaned in different ways.

    Parameters
    ----------
    codes : ndarray of uint32
    bounds : ndarray of int64, shape (n_ways * n_texts, 2)
        Where each text is, all cleaned in one way and then all in the next; becomes where those
        are that differ.
    rows : ndarray of int64, shape (n_ways, n_texts)
        Becomes which of these each text is.

    Returns
    -------
    int
        How many differ.
    """
    n_ways, n_texts = rows.shape
    n_rows = 0
    for way in range(n_ways):
        for text in range(n_texts):
            start, stop = bounds[way * n_texts + text]
            first, last = bounds[text]
            same = way > 0 and last - first == stop - start
            at = 0
            while same and at < stop - start:
                same = codes[start + at] == codes[first + at]
                at += 1
            rows[way, text] = text if same else n_rows
            if not same:
                bounds[n_rows, 0], bounds[n_rows, 1] = start, stop
                n_rows += 1
    return n_rows


@kernel
def share_out(
    table: Table, codes: np.ndarray, head: Number, bounds: np.ndarray, parts: np.ndarray
) -> Number:
    """Share a head's logit out over the words of one normalised text.

    Each n-gram's part goes in equal shares to the places where it is, and there to the words that
    it covers.

    Parameters
    ----------
    head : Number
    bounds : ndarray of int64
        Becomes the first character of each word and the one after its last, alternately.
    parts : ndarray of float64
        Becomes the part of each word.

    Returns
    -------
    int
        How many words there are.
    """
    notes = room_for(table, len(codes))
    return share_all(table, codes, head, bounds, parts, notes, np.zeros(len(table.head_models)))


@leaf
def share_all(
    table: Table,
    codes: np.ndarray,
    head: Number,
    bounds: np.ndarray,
    parts: np.ndarray,
    notes: Notes,
    logits: np.ndarray,
) -> Number:
    """Do what :func:`share_out` does, in room that is there."""
    size = lay_out(table, codes, 0, len(codes), notes)
    n_chars, n_found, n_chunks = read(table, notes, size)
    for at in range(2 * n_chunks):
        bounds[at] = notes.bounds[at]
    parts[:n_chunks] = 0.0

    add_up(table, notes, tally(table, notes, 0, n_chars), logits)
    for at in range(n_chars):
        share = share_of(table, notes, notes.uids[at], head)
        parts[notes.owners[at]] += share * abs(notes.times[at])

    notes.sums[:] = 0.0
    add_up(table, notes, tally(table, notes, n_chars, n_found), logits)
    chunks = notes.token_chunks
    for at in range(n_chars, n_found):
        first, last = notes.owners[at], notes.owners[at] + notes.spreads[at]
        covered = 1
        for token in range(first + 1, last):
            covered += chunks[token] != chunks[token - 1]
        share = share_of(table, notes, notes.uids[at], head) / covered
        parts[chunks[first]] += share
        for token in range(first + 1, last):
            if chunks[token] != chunks[token - 1]:
                parts[chunks[token]] += share
    return n_chunks


@leaf
def share_of(table: Table, notes: Notes, number: Number, head: Number) -> Number:
    """Return what one place of an n-gram adds to the logit of a head."""
    uid, count = notes.different[number]
    value = (
        weigh(table, count) * table.records[uid, len(notes.sums) - len(table.head_models) + head]
    )
    if value == 0.0:
        return value
    return value / notes.sums[table.head_models[head]] / count


@kernel
def count_unknown(table: Table, codes: np.ndarray, model: Number) -> tuple[Number, Number]:
    """Return how many words a text has, and how many of them are no n-gram of a model."""
    return count_all(table, codes, model, room_for(table, len(codes)))


@leaf
def count_all(
    table: Table, codes: np.ndarray, model: Number, notes: Notes
) -> tuple[Number, Number]:
    """Do what :func:`count_unknown` does, in room that is there."""
    size = lay_out(table, codes, 0, len(codes), notes)
    _, n_tokens = divide(notes, size)
    find_tokens(table, notes, n_tokens)
    words = 0
    unknown = 0
    for token in range(n_tokens):
        if notes.classes[notes.token_places[token, 0]] == WORD:
            words += 1
            uid = table.token_uids[notes.tokens[token]]
            unknown += uid < 0 or table.records[uid, model] == 0.0
    return words, unknown
