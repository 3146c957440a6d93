"""From raw texts to scores, and to the words behind them, in compiled code.

Sums are those of TF-IDF and linear heads, norms included; the order of addition differs from
scikit-learn's, and so do the last digits.
"""

import numpy as np

from models.cleaning_kernels import (
    DESK,
    KNOWN,
    NOTES,
    TABLE,
    clean,
    clean_text,
    remember,
    take_in,
)
from models.cleaning_layout import PLAIN, Draft, cleaning_at, desk_at
from models.native import Number, brief_kernel, kernel, leaf
from models.ngram_finding import (
    divide,
    end_of_memo,
    find_chars,
    find_noted,
    find_tokens,
    find_words,
    note_chunk,
)
from models.ngram_layout import TIMES_BITS, WORD, Notes, Table, lay_out, notes_at, table_at
from models.ngram_repeats import count_chars, count_words, find_kinds, keep_firsts

# So many n-grams of a long text are noted before they are added up: what fits in the cache.
_AT_ONCE = 8192

# From so many chunks on, those that come again are worth looking for.
_MANY = 100


@leaf
def weigh(table: Table, count: Number) -> Number:
    """Return what a term that is there ``count`` times counts, before its idf."""
    if count < len(table.term_weights):
        return table.term_weights[count]
    if table.sublinear[0]:
        return 1.0 + np.log(np.float64(count))
    return np.float64(count)


@leaf
def count_known(
    table: Table, notes: Notes, token: Number, is_whole: Number, n_owed: Number
) -> Number:
    """Count the character n-grams of a known word, and add what its memo knows they add up to.

    What the sums lack then, since some were there before, is noted as owed; returns how much is.
    """
    counts, rows, owed = notes.counts, notes.rows, notes.owed
    for at in range(table.memo_bounds[token, 0], end_of_memo(table, token, is_whole)):
        entry = table.memo[at]
        uid, found = entry >> TIMES_BITS, np.int32(entry & np.uint32((1 << TIMES_BITS) - 1))
        before = counts[uid]
        counts[uid] = before + found
        rows[n_owed], owed[n_owed, 0], owed[n_owed, 1] = uid, before, found
        n_owed += before > 0
    sums, known = notes.sums, table.memo_sums[token, np.int64(is_whole)]
    for column in range(len(sums)):
        sums[column] += known[column]
    return n_owed


@leaf
def count_found(notes: Notes, n_found: Number, n_owed: Number) -> Number:
    """Count what was found otherwise, of which the sums have nothing; return how much is owed."""
    for at in range(n_found):
        uid = notes.uids[at]
        before = notes.counts[uid]
        notes.counts[uid] = before + 1
        notes.rows[n_owed], notes.owed[n_owed, 0], notes.owed[n_owed, 1] = uid, before, 0.0
        n_owed += 1
    return n_owed


@leaf
def settle(table: Table, notes: Notes, n_owed: Number) -> None:
    """Add what is owed.

    An n-gram that was there before counts by as much more as it is there now, less what the sums
    have of it.
    """
    owed = notes.owed
    for number in range(n_owed):
        before, known = np.int64(owed[number, 0]), np.int64(owed[number, 1])
        less, more = weigh(table, before), weigh(table, before + (known if known > 0 else 1))
        missing, missing_square = more - less, more * more - less * less
        if known > 0:
            had = weigh(table, known)
            missing -= had
            missing_square -= had * had
        owed[number, 0], owed[number, 1] = missing, missing_square
    add_owed(table, notes, n_owed)


@leaf
def add_chars(table: Table, notes: Notes, n_tokens: Number) -> None:
    """Add the character n-grams of a text to the sums, and leave the counts as they were."""
    n_keys, n_owed = 0, 0
    token = 0
    while token < n_tokens:
        first = token
        token, known, n_keys = note_chunk(table, notes, first, n_tokens, n_keys)
        if known > 0:
            n_owed = count_known(table, notes, known, token - first == 1, n_owed)
    n_found = find_noted(table.chars, notes, 0, n_keys)
    settle(table, notes, count_found(notes, n_found, n_owed))
    forget(notes, n_found)
    for token in range(n_tokens):
        known = notes.tokens[token]
        for at in range(table.memo_bounds[known, 0], table.memo_bounds[known + 1, 0]):
            notes.counts[table.memo[at] >> TIMES_BITS] = 0


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
def add_counted(table: Table, notes: Notes, n_counted: Number) -> None:
    """Add what the counted n-grams are, of which the sums have nothing yet."""
    for number in range(n_counted):
        weight = weigh(table, notes.counts[notes.rows[number]])
        notes.owed[number, 0], notes.owed[number, 1] = weight, weight * weight
    add_owed(table, notes, n_counted)


@leaf
def forget_counted(notes: Notes, n_counted: Number) -> None:
    """Make the counts of the counted n-grams 0 again."""
    for number in range(n_counted):
        notes.counts[notes.rows[number]] = 0


@leaf
def forget(notes: Notes, n_found: Number) -> None:
    """Make the counts of what was found 0 again."""
    for at in range(n_found):
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
def score_once(table: Table, notes: Notes, n_tokens: Number, logits: np.ndarray) -> None:
    """Write the logarithmic odds of a text, in which tokens were found, as it comes."""
    for head in range(len(logits)):
        logits[head] = table.intercepts[head]
    clear(notes)
    add_chars(table, notes, n_tokens)
    close_block(table, notes, logits)
    clear(notes)
    n_found = find_words(table, notes, n_tokens, 0)
    settle(table, notes, count_found(notes, n_found, 0))
    forget(notes, n_found)
    close_block(table, notes, logits)


@kernel
def score_kinds(places: np.ndarray, n_chunks: Number, n_tokens: Number, logits: np.ndarray) -> None:
    """Do what :func:`score_once` does where chunks come again: each kind is looked at once."""
    score_each(table_at(places[TABLE]), notes_at(places[NOTES]), n_chunks, n_tokens, logits)


@leaf
def score_each(
    table: Table, notes: Notes, n_chunks: Number, n_tokens: Number, logits: np.ndarray
) -> None:
    """Do what :func:`score_kinds` does."""
    for head in range(len(logits)):
        logits[head] = table.intercepts[head]
    clear(notes)
    n_counted = count_words(notes, find_words(table, notes, n_tokens, 0))
    add_counted(table, notes, n_counted)
    close_block(table, notes, logits)
    forget_counted(notes, n_counted)

    n_kept = keep_firsts(notes, n_tokens, find_kinds(notes, n_chunks))
    n_counted, token = 0, 0
    while token < n_kept:
        n_found, token = find_chars(table, notes, token, n_kept, _AT_ONCE)
        n_counted = count_chars(notes, n_found, n_counted)
    clear(notes)
    add_counted(table, notes, n_counted)
    close_block(table, notes, logits)
    forget_counted(notes, n_counted)


@leaf
def clear(notes: Notes) -> None:
    """Make the sums 0."""
    for column in range(len(notes.sums)):
        notes.sums[column] = 0.0


@brief_kernel
def score(places: np.ndarray, raw: np.ndarray, lengths: np.ndarray, scores: np.ndarray) -> None:
    """Write the probabilities of raw texts, each model's of the text as it is cleaned for it.

    Parameters
    ----------
    places : ndarray of int64
        Of what is known, with a way of cleaning for each model, of a table, and of room for the
        longest text; see :mod:`models.fast_room`.
    raw : ndarray of uint32
        The code points of all texts, one after the other.
    lengths : ndarray of int64, shape (n_texts,)
    scores : ndarray of float64, shape (n_texts, n_heads)
    """
    known, table = cleaning_at(places[KNOWN]), table_at(places[TABLE])
    desk, notes = desk_at(places[DESK]), notes_at(places[NOTES])
    logits = np.empty(len(table.head_models))
    stop = 0
    for text in range(len(lengths)):
        start, stop = stop, stop + lengths[text]
        size = take_in(known, raw, start, stop, desk.raw)
        plain, scored = -1, -1
        for way in range(len(known.rules)):
            which, length, plain = clean(known, way, size, desk, plain)
            if which != PLAIN or scored != PLAIN:  # else it is the text that was scored last
                n_chunks, n_tokens = find_all_tokens(
                    table, notes, desk.drafts[which].codes, 0, length
                )
                if n_chunks < _MANY:
                    score_once(table, notes, n_tokens, logits)
                else:
                    score_kinds(places, n_chunks, n_tokens, logits)
                scored = which
            for head in range(len(logits)):
                if table.head_models[head] == way:
                    scores[text, head] = 1.0 / (1.0 + np.exp(-logits[head]))
            if text == len(lengths) - 1:
                remember(desk, raw, start, stop, way, (which, length))


@leaf
def find_all_tokens(
    table: Table, notes: Notes, codes: np.ndarray, start: Number, stop: Number
) -> tuple[Number, Number]:
    """Find the chunks and tokens of a cleaned text; return how many there are of each."""
    n_chunks, n_tokens = divide(notes, lay_out(table, codes, start, stop, notes))
    find_tokens(table, notes, n_tokens)
    return n_chunks, n_tokens


@brief_kernel
def share_out(
    places: np.ndarray,
    model: Number,
    head: Number,
    marking: Number,
    raw: np.ndarray,
    bounds: np.ndarray,
    parts: np.ndarray,
    odds: np.ndarray,
) -> Number:
    """Share a head's logit out over the words of one raw text, as a model has it cleaned.

    Each n-gram's part goes in equal shares to the places where it is, and there to the words that
    it covers.

    Parameters
    ----------
    places : ndarray of int64
        As for :func:`score`.
    model, head, marking : int
        The model, the head, and that model's for words alone; -1 if there is none.
    raw : ndarray of uint32
        The code points of the text.
    bounds : ndarray of int32, shape (n, 4)
        Becomes where each word begins and ends in the raw text, and in the cleaned one.
    parts : ndarray of float64
        Becomes the part of each word.
    odds : ndarray of float64
        Becomes the logarithmic odds of each word by itself, if there is a head for that.

    Returns
    -------
    int
        How many words there are.
    """
    which, length = clean_text(places, model, raw)
    draft = desk_at(places[DESK]).drafts[which]
    table, notes = table_at(places[TABLE]), notes_at(places[NOTES])
    logits = np.zeros(len(table.head_models))
    n_chunks, n_kinds = share_all(table, notes, draft, length, head, bounds, parts, logits)
    if marking >= 0:
        for kind in range(n_kinds):
            first = notes.firsts[kind]
            start, stop = bounds[first, 2], bounds[first, 3]
            one, n_tokens = find_all_tokens(table, notes, draft.codes, start, stop)
            score_kinds(places, one, n_tokens, logits)  # which leaves chunk 0 of kind 0, as it is
            odds[first] = logits[marking]
        for chunk in range(n_chunks):
            odds[chunk] = odds[notes.firsts[notes.kinds[chunk]]]
    return n_chunks


@leaf
def share_all(
    table: Table,
    notes: Notes,
    draft: Draft,
    length: Number,
    head: Number,
    bounds: np.ndarray,
    parts: np.ndarray,
    logits: np.ndarray,
) -> tuple[Number, Number]:
    """Share a logit out over the words of a cleaned text; return how many, and how many kinds."""
    n_chunks, n_tokens = find_all_tokens(table, notes, draft.codes, 0, length)
    for chunk in range(n_chunks):
        start, stop = notes.bounds[2 * chunk], notes.bounds[2 * chunk + 1]
        bounds[chunk, 0], bounds[chunk, 1] = draft.places[start, 0], draft.places[stop - 1, 1]
        bounds[chunk, 2], bounds[chunk, 3] = start, stop
    parts[:n_chunks] = 0.0
    share_words(table, notes, n_tokens, head, parts, logits)
    n_kinds = find_kinds(notes, n_chunks)
    share_chars(table, notes, keep_firsts(notes, n_tokens, n_kinds), n_kinds, head, logits)
    for chunk in range(n_chunks):
        parts[chunk] += notes.owed[notes.kinds[chunk], 0]
    return n_chunks, n_kinds


@leaf
def share_words(
    table: Table,
    notes: Notes,
    n_tokens: Number,
    head: Number,
    parts: np.ndarray,
    logits: np.ndarray,
) -> None:
    """Add to each chunk its share of the word n-grams."""
    clear(notes)
    n_found = find_words(table, notes, n_tokens, 0)
    n_counted = count_words(notes, n_found)
    add_counted(table, notes, n_counted)
    close_block(table, notes, logits)
    chunks = notes.token_chunks
    for at in range(n_found):
        first, last = notes.owners[at], notes.owners[at] + notes.spreads[at]
        covered = 1
        for token in range(first + 1, last):
            covered += chunks[token] != chunks[token - 1]
        share = share_of(table, notes, at, head) / covered
        parts[chunks[first]] += share
        for token in range(first + 1, last):
            if chunks[token] != chunks[token - 1]:
                parts[chunks[token]] += share
    forget_counted(notes, n_counted)


@leaf
def share_chars(
    table: Table, notes: Notes, n_kept: Number, n_kinds: Number, head: Number, logits: np.ndarray
) -> None:
    """Leave in ``owed`` the share of the character n-grams that a chunk of each kind has."""
    n_found, _ = find_chars(table, notes, 0, n_kept, len(notes.uids))
    n_counted = count_chars(notes, n_found, 0)
    clear(notes)
    add_counted(table, notes, n_counted)
    close_block(table, notes, logits)
    for kind in range(n_kinds):
        notes.owed[kind, 0] = 0.0
    for at in range(n_found):
        share = share_of(table, notes, at, head) * notes.times[at]
        notes.owed[notes.owners[at], 0] += share
    forget_counted(notes, n_counted)


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
def count_unknown(places: np.ndarray, model: Number, raw: np.ndarray) -> tuple[Number, Number]:
    """Return how many words a raw text has, and how many of them are no n-gram of a model."""
    which, length = clean_text(places, model, raw)
    codes = desk_at(places[DESK]).drafts[which].codes
    return count_all(table_at(places[TABLE]), notes_at(places[NOTES]), codes, length, model)


@leaf
def count_all(
    table: Table, notes: Notes, codes: np.ndarray, length: Number, model: Number
) -> tuple[Number, Number]:
    """Do what :func:`count_unknown` does with a cleaned text."""
    _, n_tokens = find_all_tokens(table, notes, codes, 0, length)
    words = 0
    unknown = 0
    for token in range(n_tokens):
        if notes.classes[notes.token_places[token, 0]] == WORD:
            words += 1
            uid = table.token_uids[notes.tokens[token]]
            unknown += uid < 0 or table.records[uid, model] == 0.0
    return words, unknown
