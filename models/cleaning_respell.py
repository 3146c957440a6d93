"""The respelling of :mod:`models.respell` in compiled code: the same words, and sums in one order.

Everything here is named as there and does what that does.
"""

import numpy as np

from models.cleaning_layout import (
    CLOSING,
    DIGIT,
    LEET,
    LETTER,
    OPENING,
    PARTING,
    Cleaning,
    Draft,
    Room,
    Words,
    copy,
    has,
    number_of,
    put,
)
from models.cleaning_runs import divide, divided, is_small_letter, log_of
from models.native import Number, leaf
from models.ngram_finding import BASIS, FNV
from models.ngram_layout import SPACE, WORD
from models.respell import GAIN_OVER_MARK, GAIN_OVER_SPACE, LONGEST

_STAR, _AT, _BANG = 42, 64, 33


@leaf
def guessed(known: Cleaning, way: Number, log: Number, length: Number) -> Number:
    """Return a log-probability, or what stands for that of a word which is not there."""
    return log if log < 0.0 else known.unseen[way] - length


@leaf
def is_vowel(code: Number) -> Number:
    """Whether a character is one of the five vowels."""
    return code == 97 or code == 101 or code == 105 or code == 111 or code == 117


@leaf
def spell(
    known: Cleaning, codes: np.ndarray, start: Number, stop: Number, out: np.ndarray
) -> Number:
    """Write the spelling of a word; return its length."""
    size = 0
    for at in range(start, stop):
        code = codes[at]
        if code < len(known.spelled):
            code = known.spelled[code]
        if code != 0 and (size == 0 or code != out[size - 1]):
            out[size] = code
            size += 1
    return size


@leaf
def drop_vowels(codes: np.ndarray, start: Number, stop: Number, out: np.ndarray) -> Number:
    """Write the skeleton of a word; return its length."""
    size = 0
    for at in range(start, stop):
        if at == start or not is_vowel(codes[at]):
            out[size] = codes[at]
            size += 1
    return size


@leaf
def write_word(known: Cleaning, word: Number, out: np.ndarray) -> Number:
    """Write a word of the lexicon; return its length, -1 if there is none."""
    if word == 0:
        return -1
    first, last = known.words.bounds[word - 1], known.words.bounds[word]
    for at in range(first, last):
        out[at - first] = known.words.codes[at]
    return last - first


@leaf
def stands_for(
    words: Words, meanings: np.ndarray, way: Number, codes: np.ndarray, size: Number
) -> Number:
    """Return the word that a spelling or a skeleton stands for, 0 if there is none."""
    return meanings[number_of(words, codes, 0, size), way]


@leaf
def has_unit(known: Cleaning, codes: np.ndarray, start: Number, stop: Number) -> Number:
    """Whether a core is such as "10th"; see ``_UNIT``."""
    at = start
    while at < stop and known.traits[codes[at]] & DIGIT:
        at += 1
    if at == start:
        return False
    if stop - at == 1:
        return at - start <= 2 and is_small_letter(codes[at])
    if stop - at != 2:
        return False
    one, two = codes[at], codes[at + 1]
    if two == 109:
        return one == 97 or one == 112  # "am", "pm"
    return (
        (one == 115 and two == 116)
        or (one == 110 and two == 100)
        or (one == 114 and two == 100)
        or (one == 116 and two == 104)
    )


@leaf
def is_joint(code: Number) -> Number:
    """Whether a mark joins parts of a name; see ``_JOINT``."""
    return code in (45, 46, 95, 126, 47)


@leaf
def has_joint(known: Cleaning, codes: np.ndarray, start: Number, stop: Number) -> Number:
    """Whether a core is a name of several parts, such as "f-16"; see ``_JOINT``."""
    for at in range(start, stop - 2):
        is_digit = known.traits[codes[at + 1]] & DIGIT
        before, after = codes[at], codes[at + 2]
        if is_digit and is_joint(before) and known.traits[after] & 3 == WORD:
            return True
        if is_digit and is_joint(after) and known.traits[before] & 3 == WORD:
            return True
    return False


@leaf
def joined(
    known: Cleaning, way: Number, codes: np.ndarray, start: Number, stop: Number, room: Room
) -> Number:
    """Write the word that is left without the marks between its parts; -1 if it is none."""
    letters, parts, has_star = 0, 1, False
    logs = 0.0
    first = start
    for at in range(start, stop + 1):
        if at < stop and not known.traits[codes[at]] & PARTING:
            room.letters[letters] = codes[at]
            letters += 1
            continue
        logs += guessed(known, way, log_of(known, way, codes, first, at), at - first)
        first = at + 1
        parts += at < stop
        has_star |= at < stop and codes[at] == _STAR
    if has_star:
        size = drop_vowels(room.letters, 0, letters, room.meant)
        word = stands_for(known.skeletons, known.skeleton_words, way, room.meant, size)
        if word != 0:
            return write_word(known, word, room.meant)
    if parts == letters and letters > 2:
        return divide(known, way, room.letters, 0, letters, room, 0)
    if letters > 3:
        number = number_of(known.words, room.letters, 0, letters)
        log = known.word_logs[number, way]
        if log <= 0.0 and log - logs > GAIN_OVER_MARK:
            return write_word(known, number, room.meant)
    return -1


@leaf
def meaning(
    known: Cleaning, way: Number, codes: np.ndarray, start: Number, stop: Number, room: Room
) -> Number:
    """Write the word that a disguise stands for; return its length, -1 where there is none."""
    size = stop - start
    if size < 3 or log_of(known, way, codes, start, stop) <= 0.0:
        return -1
    letters, ascii_letters, leet, parting, doubled, thrice, vowels, read = 0, 0, 0, 0, 0, 0, 0, 0
    for at in range(start, stop):
        code = codes[at]
        traits = known.traits[code]
        letters += (traits & LETTER) != 0
        is_small = is_small_letter(code)
        ascii_letters += is_small
        leet += (traits & LEET) != 0
        parting += (traits & PARTING) != 0
        is_inside = start < at < stop - 1
        read += is_small or (is_inside and code in (64, 36, 33, 124))  # "@", "$", "!", "|"
        if at > start:
            vowels += is_vowel(code)
            doubled += code == codes[at - 1]
        if at > start + 1:
            thrice += code == codes[at - 1] and code == codes[at - 2]
    is_plain = ascii_letters == size
    if is_plain:
        is_spelled = doubled > 0 and (size > 4 or thrice > 0)
    elif parting > 0 and letters + parting == size:
        return joined(known, way, codes, start, stop, room)
    else:
        is_name = has_unit(known, codes, start, stop) or has_joint(known, codes, start, stop)
        is_spelled = leet > 0 and read > 0 and not is_name
    word = 0
    if is_spelled:
        length = spell(known, codes, start, stop, room.meant)
        word = stands_for(known.spellings, known.spelled_words, way, room.meant, length)
    if word == 0 and is_plain and vowels == 0:
        length = drop_vowels(codes, start, stop, room.meant)
        word = stands_for(known.skeletons, known.skeleton_words, way, room.meant, length)
    return write_word(known, word, room.meant)


@leaf
def has_leet(known: Cleaning, codes: np.ndarray, start: Number, stop: Number) -> Number:
    """Whether a core has a digit or a mark that may stand for a letter."""
    found = 0
    for at in range(start, stop):
        found |= known.traits[codes[at]] & LEET
    return found != 0


@leaf
def is_dodging(
    known: Cleaning, way: Number, codes: np.ndarray, n_chunks: Number, room: Room
) -> Number:
    """Whether two words or more are written with digits and marks for letters; see ``_dodges``."""
    dodges = 0
    for at in range(n_chunks):
        start, stop = room.chunks[at, 2], room.chunks[at, 3]
        if has_leet(known, codes, start, stop):
            dodges += meaning(known, way, codes, start, stop, room) > 0
            if dodges > 1:
                return True
    return False


@leaf
def meaning_among_others(
    known: Cleaning, way: Number, codes: np.ndarray, start: Number, stop: Number, room: Room
) -> Number:
    """Write what a word stands for where others are disguised by digits; -1 if that is nothing."""
    if not has_leet(known, codes, start, stop) or has_joint(known, codes, start, stop):
        return -1
    is_short = stop - start < 3
    is_spoken_to = codes[start] == _AT and not is_short
    if not is_short and not is_spoken_to and has_unit(known, codes, start, stop):
        return -1
    length = spell(known, codes, start + is_spoken_to, stop, room.meant)
    column = -1 if is_short else way
    word = stands_for(known.spellings, known.spelled_words, column, room.meant, length)
    length = write_word(known, word, room.meant)
    if length < 0 or not is_spoken_to:
        return length
    for at in range(length, 0, -1):
        room.meant[at] = room.meant[at - 1]
    room.meant[0] = np.uint32(_AT)
    return length + 1


@leaf
def find_chunks(known: Cleaning, codes: np.ndarray, size: Number, room: Room) -> Number:
    """Find what stands between white space, and its cores; return how many there are."""
    traits, chunks = known.traits, room.chunks
    n_chunks = 0
    at = 0
    while at < size:
        if traits[codes[at]] & 3 == SPACE:
            at += 1
            continue
        end = at + 1
        while end < size and traits[codes[end]] & 3 != SPACE:
            end += 1
        start, stop = at, end
        while start < stop and traits[codes[start]] & OPENING:
            start += 1
        while stop > start and traits[codes[stop - 1]] & CLOSING:
            stop -= 1
        chunks[n_chunks, 0], chunks[n_chunks, 1] = at, end
        chunks[n_chunks, 2], chunks[n_chunks, 3] = start, stop
        n_chunks += 1
        at = end
    return n_chunks


@leaf
def after_singles(room: Room, n_chunks: Number, first: Number) -> Number:
    """Return which chunk comes after the single characters, a space apart, from one on."""
    at = first
    while (
        at < n_chunks
        and room.chunks[at, 1] - room.chunks[at, 0] == 1
        and (at == first or room.chunks[at, 0] - room.chunks[at - 1, 1] == 1)
    ):
        at += 1
    return at


@leaf
def is_split(known: Cleaning, way: Number, codes: np.ndarray, first: Number, room: Room) -> Number:
    """Whether a chunk and the next one are parts of one word, which is left in ``room.meant``."""
    start, stop = room.chunks[first, 2], room.chunks[first, 3]
    begin, end = room.chunks[first + 1, 2], room.chunks[first + 1, 3]
    size = stop - start + end - begin
    if begin - stop != 1 or start == stop or begin == end or size < 4 or size > LONGEST:
        return False
    digest = BASIS
    for at in range(start, end):
        if at != stop:
            digest = (digest ^ np.uint64(codes[at])) * FNV
    if not has(known.words, digest | np.uint64(1)):
        return False
    kept = 0
    for at in range(start, end):
        if at != stop:
            room.meant[kept] = codes[at]
            kept += 1
    log = log_of(known, way, room.meant, 0, size)
    if log > 0.0:
        return False
    parts = guessed(known, way, log_of(known, way, codes, start, stop), stop - start)
    parts += guessed(known, way, log_of(known, way, codes, begin, end), end - begin)
    return log - parts > GAIN_OVER_SPACE


@leaf
def respell(
    known: Cleaning, way: Number, source: Draft, size: Number, target: Draft, room: Room
) -> Number:
    """Write a text with its disguised words read; return its new length, -1 if there are none."""
    codes, chunks = source.codes, room.chunks
    n_chunks = find_chunks(known, codes, size, room)
    wide = 0
    for at in range(1, n_chunks):
        wide += chunks[at, 0] - chunks[at - 1, 1] > 1
    least = 2 if wide > 1 else 3
    dodges = is_dodging(known, way, codes, n_chunks, room)
    kept, done = -1, 0
    at = 0
    while at < n_chunks:
        after = after_singles(room, n_chunks, at)
        if after - at >= least:
            for each in range(at, after):
                room.letters[each - at] = codes[chunks[each, 0]]
            length = divided(known, way, after - at, room)
            start, stop = chunks[at, 0], chunks[after - 1, 1]
            at = after
        elif at + 1 < n_chunks and is_split(known, way, codes, at, room):
            start, stop = chunks[at, 2], chunks[at + 1, 3]
            length = stop - start - 1
            at += 2
        else:
            start, stop = chunks[at, 2], chunks[at, 3]
            length = meaning(known, way, codes, start, stop, room)
            if dodges and length < 0:
                if chunks[at, 1] - chunks[at, 0] == 1 and codes[chunks[at, 0]] == _BANG:
                    stop = chunks[at, 1]  # one that stands alone is no mark at the end of a word
                length = meaning_among_others(known, way, codes, start, stop, room)
            at += 1
        if length >= 0:
            kept = copy(source, done, start, target, max(kept, 0))
            kept = put(room.meant, 0, length, source, start, stop, target, kept)
            done = stop
    return kept if kept < 0 else copy(source, done, size, target, kept)
