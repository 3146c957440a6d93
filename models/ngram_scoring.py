"""From raw texts to scores, and to the words behind them, in compiled code.

Sums are those of TF-IDF and linear heads, norms included; the order of addition differs from
scikit-learn's, and so do the last digits.
"""

import numpy as np

from models.cleaning_kernels import clean, desk_for, take_in
from models.cleaning_layout import GROWTH, PLAIN, Cleaning, Desk
from models.native import Number, brief_kernel, leaf
from models.ngram_finding import divide, find_chars, find_tokens, find_words
from models.ngram_layout import WORD, Notes, Table, lay_out, room_for

# So many n-grams of a long text are noted before they are added up: what fits in the cache.
_AT_ONCE = 8192


@leaf
def weigh(table: Table, count: Number) -> Number:
    """Return what a term that is there ``count`` times counts, before its idf."""
    if count < len(table.term_weights):
        return table.term_weights[count]
    if table.sublinear[0]:
        return 1.0 + np.log(np.float64(count))
    return np.float64(count)


@leaf
def add_found(table: Table, notes: Notes, first: Number, last: Number) -> None:
    """Count what was found from ``first`` up to ``last``, and add what the sums lack of it.

    An n-gram that was there before counts by as much more as it is there now; what is in one word
    alone is in the sums already, if that word is memorised.
    """
    uids, times, counts, rows, owed = notes.uids, notes.times, notes.counts, notes.rows, notes.owed
    n_owed = 0
    for at in range(first, last):
        uid, found = uids[at], times[at]
        before = counts[uid]
        counts[uid] = before + abs(found)
        rows[n_owed] = at
        owed[n_owed, 0] = before
        n_owed += (before > 0) | (found > 0)
    for number in range(n_owed):
        at = rows[number]
        before, found = np.int64(owed[number, 0]), times[at]
        less, more = weigh(table, before), weigh(table, before + abs(found))
        missing, missing_square = more - less, more * more - less * less
        if found < 0:
            known = weigh(table, -found)
            missing -= known
            missing_square -= known * known
        rows[number] = uids[at]
        owed[number, 0], owed[number, 1] = missing, missing_square
    add_owed(table, notes, n_owed)


@leaf
def add_owed(table: Table, notes: Notes, n_owed: Number) -> None:
    """Add what the sums lack: four columns at a time, for which the processor has the room."""
    sums, records, rows, owed = notes.sums, table.records, notes.rows, notes.owed
    n_models = len(sums) - len(table.head_models)
    whole = len(sums) // 4 * 4
    for column in range(0, whole, 4):
        one, two, three, four = 0.0, 0.0, 0.0, 0.0
        for number in range(n_owed):
            row = records[rows[number]]
            one += owed[number, np.int64(column < n_models)] * row[column]
            two += owed[number, np.int64(column + 1 < n_models)] * row[column + 1]
            three += owed[number, np.int64(column + 2 < n_models)] * row[column + 2]
            four += owed[number, np.int64(column + 3 < n_models)] * row[column + 3]
        sums[column] += one
        sums[column + 1] += two
        sums[column + 2] += three
        sums[column + 3] += four
    for column in range(whole, len(sums)):
        one = 0.0
        for number in range(n_owed):
            one += owed[number, np.int64(column < n_models)] * records[rows[number], column]
        sums[column] += one


@leaf
def forget(notes: Notes, first: Number, last: Number) -> None:
    """Make the counts of what was found 0 again."""
    for at in range(first, last):
        notes.counts[notes.uids[at]] = 0


@leaf
def close_block(table: Table, notes: Notes, logits: np.ndarray) -> None:
    """Add one block's part of every logit, and leave each model's norm in ``sums``."""
    sums = notes.sums
    n_models = len(sums) - len(logits)
    for model in range(n_models):
        sums[model] = np.sqrt(sums[model])
    for head in range(len(logits)):
        norm = sums[table.head_models[head]]
        if norm > 0.0:
            logits[head] += sums[n_models + head] / norm


@leaf
def score_text(table: Table, notes: Notes, size: Number, logits: np.ndarray) -> None:
    """Write the logarithmic odds of a text that was laid out."""
    _, n_tokens = divide(notes, size)
    find_tokens(table, notes, n_tokens)
    clear(notes)
    for head in range(len(logits)):
        logits[head] = table.intercepts[head]
    n_found, token = find_chars(table, notes, 0, n_tokens, _AT_ONCE)
    add_found(table, notes, 0, n_found)
    if token == n_tokens:
        forget(notes, 0, n_found)
    else:
        while token < n_tokens:
            n_found, token = find_chars(table, notes, token, n_tokens, _AT_ONCE)
            add_found(table, notes, 0, n_found)
        for uid in range(len(notes.counts)):
            notes.counts[uid] = 0
    close_block(table, notes, logits)
    clear(notes)
    n_found = find_words(table, notes, n_tokens, 0)
    add_found(table, notes, 0, n_found)
    close_block(table, notes, logits)
    forget(notes, 0, n_found)


@leaf
def clear(notes: Notes) -> None:
    """Make the sums 0."""
    for column in range(len(notes.sums)):
        notes.sums[column] = 0.0


@brief_kernel
def score(
    known: Cleaning,
    table: Table,
    raw: np.ndarray,
    ends: np.ndarray,
    counts: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Write the probabilities of folded texts, each model's of the text as it is cleaned for it.

    Parameters
    ----------
    known : Cleaning
        With a way for each model.
    table : Table
    raw : ndarray of uint32
        The code points of all texts, one after the other.
    ends : ndarray of int64, shape (n_texts,)
        Where each ends.
    counts : ndarray of int32
        Of the notes; see :func:`room_for`.
    scores : ndarray of float64, shape (n_texts, n_heads)
    """
    longest = 0
    start = 0
    for end in ends:
        longest = max(longest, end - start)
        start = end
    desk = desk_for(longest)
    notes = room_for(table, GROWTH * longest + 16, counts)
    score_all(known, table, raw, ends, desk, notes, np.empty(len(table.head_models)), scores)


@leaf
def score_all(
    known: Cleaning,
    table: Table,
    raw: np.ndarray,
    ends: np.ndarray,
    desk: Desk,
    notes: Notes,
    logits: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Do what :func:`score` does, in room that is there."""
    start = 0
    for text in range(len(ends)):
        size = take_in(known, raw, start, ends[text], desk.raw)
        start = ends[text]
        plain, scored = -1, -1
        for way in range(len(known.rules)):
            which, length, plain = clean(known, way, size, desk, plain)
            if which != PLAIN or scored != PLAIN:  # else it is the text that was scored last
                score_text(
                    table, notes, lay_out(table, desk.drafts[which].codes, 0, length, notes), logits
                )
                scored = which
            for head in range(len(logits)):
                if table.head_models[head] == way:
                    scores[text, head] = 1.0 / (1.0 + np.exp(-logits[head]))


@brief_kernel
def weigh_words(
    table: Table, codes: np.ndarray, bounds: np.ndarray, counts: np.ndarray, odds: np.ndarray
) -> None:
    """Write the logarithmic odds of cleaned words, each by itself.

    Parameters
    ----------
    codes : ndarray of uint32
        Code points.
    bounds : ndarray of int64, shape (n_words, 2)
        Where each word is in ``codes``.
    counts : ndarray of int32
        Of the notes; see :func:`room_for`.
    odds : ndarray of float64, shape (n_words, n_heads)
    """
    longest = 0
    for word in range(len(bounds)):
        longest = max(longest, bounds[word, 1] - bounds[word, 0])
    notes = room_for(table, longest, counts)
    for word in range(len(bounds)):
        size = lay_out(table, codes, bounds[word, 0], bounds[word, 1], notes)
        score_text(table, notes, size, odds[word])


@brief_kernel
def share_out(
    table: Table,
    codes: np.ndarray,
    head: Number,
    counts: np.ndarray,
    bounds: np.ndarray,
    parts: np.ndarray,
) -> Number:
    """Share a head's logit out over the words of one normalised text.

    Each n-gram's part goes in equal shares to the places where it is, and there to the words that
    it covers.

    Parameters
    ----------
    head : int
    counts : ndarray of int32
        Of the notes; see :func:`room_for`.
    bounds : ndarray of int64
        Becomes the first character of each word and the one after its last, alternately.
    parts : ndarray of float64
        Becomes the part of each word.

    Returns
    -------
    int
        How many words there are.
    """
    notes = room_for(table, len(codes), counts)
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
    n_chunks, n_tokens = divide(notes, size)
    find_tokens(table, notes, n_tokens)
    clear(notes)
    n_chars, _ = find_chars(table, notes, 0, n_tokens, len(notes.uids))
    n_found = find_words(table, notes, n_tokens, n_chars)
    for at in range(2 * n_chunks):
        bounds[at] = notes.bounds[at]
    parts[:n_chunks] = 0.0

    add_found(table, notes, 0, n_chars)
    close_block(table, notes, logits)
    for at in range(n_chars):
        parts[notes.owners[at]] += share_of(table, notes, at, head) * abs(notes.times[at])
    forget(notes, 0, n_chars)

    clear(notes)
    add_found(table, notes, n_chars, n_found)
    close_block(table, notes, logits)
    chunks = notes.token_chunks
    for at in range(n_chars, n_found):
        first, last = notes.owners[at], notes.owners[at] + notes.spreads[at]
        covered = 1
        for token in range(first + 1, last):
            covered += chunks[token] != chunks[token - 1]
        share = share_of(table, notes, at, head) / covered
        parts[chunks[first]] += share
        for token in range(first + 1, last):
            if chunks[token] != chunks[token - 1]:
                parts[chunks[token]] += share
    forget(notes, n_chars, n_found)
    return n_chunks


@leaf
def share_of(table: Table, notes: Notes, at: Number, head: Number) -> Number:
    """Return what one place of the n-gram found there adds to the logit of a head."""
    uid = notes.uids[at]
    count = notes.counts[uid]
    weight = weigh(table, count)
    value = weight * table.records[uid, len(notes.sums) - len(table.head_models) + head]
    if value == 0.0:
        return value
    return value / notes.sums[table.head_models[head]] / count


@brief_kernel
def count_unknown(
    table: Table, codes: np.ndarray, model: Number, counts: np.ndarray
) -> tuple[Number, Number]:
    """Return how many words a text has, and how many of them are no n-gram of a model."""
    return count_all(table, codes, model, room_for(table, len(codes), counts))


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
