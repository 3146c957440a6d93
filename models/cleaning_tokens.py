"""Addresses, amounts and long numbers in compiled code: where each of them ends.

Each ``end_of_`` does what the expression of its name in :mod:`models.text` does at one place of a
text in which white space is single spaces: it returns where the match ends, -1 where there is none.
"""

import numpy as np

from models.cleaning_layout import (
    AMOUNT,
    DIGIT,
    DOMAIN,
    GAP,
    LETTER,
    MONEY_AFTER,
    MONEY_BEFORE,
    OF_ADDRESS,
    OF_DOMAIN,
    Cleaning,
    Draft,
    copy,
    number_of,
    put,
)
from models.native import Number, leaf
from models.ngram_layout import SPACE, WORD

#: What tokens stand for, in the order in which they are put in.
URL, EMAIL, MONEY, LONG_NUMBER = range(4)

_SPACE, _PLUS, _COMMA, _HYPHEN, _DOT, _SLASH, _COLON, _AT = 32, 43, 44, 45, 46, 47, 58, 64
_H, _K, _M, _P, _S, _T, _W, _X = 104, 107, 109, 112, 115, 116, 119, 120


@leaf
def is_word(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Whether a character of a word is at a place, which may be outside of the text."""
    return 0 <= at < size and known.traits[codes[at]] & 3 == WORD


@leaf
def is_digit(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Whether a digit is at a place, which may be behind the text."""
    return at < size and known.traits[codes[at]] & DIGIT != 0


@leaf
def end_of_word(known: Cleaning, codes: np.ndarray, start: Number, size: Number) -> Number:
    """Return where the word that goes on at ``start`` ends."""
    end = start
    while is_word(known, codes, end, size):
        end += 1
    return end


@leaf
def word_kind(known: Cleaning, codes: np.ndarray, start: Number, size: Number) -> Number:
    """Return what is told of the word from ``start`` to its end."""
    stop = end_of_word(known, codes, start, size)
    return known.word_kinds[number_of(known.words, codes, start, stop)]


@leaf
def is_word_of(
    known: Cleaning, codes: np.ndarray, start: Number, size: Number, kind: Number
) -> Number:
    """Whether a word of a kind begins at ``start``, and not within another one."""
    if is_word(known, codes, start - 1, size):
        return False
    return word_kind(known, codes, start, size) & kind != 0


@leaf
def end_of_scheme(codes: np.ndarray, at: Number, size: Number) -> Number:
    """Return where what certainly begins an address ends: "http://", "www." and the like."""
    if at + 3 < size and codes[at] == _W and codes[at + 1] == _W and codes[at + 2] == _W:
        return at + 4 if codes[at + 3] == _DOT else -1
    if at + 3 >= size or codes[at] != _H or codes[at + 3] != _P:
        return -1
    middle = codes[at + 1]
    if codes[at + 2] != middle or (middle != _T and middle != _X):
        return -1
    end = at + 5 if at + 4 < size and codes[at + 4] == _S else at + 4
    if end + 2 >= size or codes[end] != _COLON:
        return -1
    return end + 3 if codes[end + 1] == _SLASH and codes[end + 2] == _SLASH else -1


@leaf
def end_of_url(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """See ``_URL``."""
    end = end_of_scheme(codes, at, size)
    if end < 0 or end >= size or codes[end] == _SPACE:
        end = end_of_domain(known, codes, at, size)
        if end < 0 or end >= size or codes[end] != _SLASH:
            return end
    while end < size and codes[end] != _SPACE:
        end += 1
    return end


@leaf
def end_of_domain(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Return where up to four labels and a top-level domain end."""
    if at > 0:
        before = codes[at - 1]
        is_inside = is_word(known, codes, at - 1, size)
        if is_inside or before in (_DOT, _AT, _HYPHEN):
            return -1
    found = -1
    start = at
    for _ in range(4):
        end = start
        while end < size and end - start < 64 and known.traits[codes[end]] & OF_DOMAIN:
            end += 1
        if end == start or end - start > 63 or end >= size or codes[end] != _DOT:
            break
        start = end + 1
        if word_kind(known, codes, start, size) & DOMAIN:
            found = end_of_word(known, codes, start, size)
    return found


@leaf
def end_of_email(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """See ``_EMAIL``."""
    if at > 0 and known.traits[codes[at - 1]] & OF_ADDRESS:
        return -1
    end = at
    while end < size and end - at < 65 and known.traits[codes[end]] & OF_ADDRESS:
        end += 1
    if end == at or end - at > 64 or end >= size or codes[end] != _AT:
        return -1
    found = -1
    for label in range(5):
        start = end + 1
        end = start
        while (
            end < size
            and end - start < 63
            and (codes[end] == _HYPHEN or is_word(known, codes, end, size))
        ):
            end += 1
        if end == start:
            break
        if label > 0:
            found = end
        if end >= size or codes[end] != _DOT:
            break
    return found


@leaf
def end_of_money(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """See ``_MONEY``."""
    start = -1
    if known.traits[codes[at]] & AMOUNT:
        start = at + 1
    elif is_word_of(known, codes, at, size, MONEY_BEFORE):
        start = end_of_word(known, codes, at, size)
        start += start < size and codes[start] == _DOT
    if start >= 0:
        start += start < size and codes[start] == _SPACE
        if is_digit(known, codes, start, size):
            end = end_of_sum(known, codes, start, size)
            if end >= 0:
                return end
    if is_word(known, codes, at - 1, size) or not is_digit(known, codes, at, size):
        return -1
    end = end_of_digits(known, codes, at, size)
    end += end < size and codes[end] == _SPACE
    if end < size and known.traits[codes[end]] & AMOUNT:
        return end + 1
    if word_kind(known, codes, end, size) & MONEY_AFTER:
        return end_of_word(known, codes, end, size)
    return -1


@leaf
def end_of_digits(known: Cleaning, codes: np.ndarray, start: Number, size: Number) -> Number:
    """Return where a digit and up to 15 more, with commas and dots, end."""
    end = start + 1
    while end < size and end - start < 16:
        if codes[end] != _COMMA and codes[end] != _DOT and not is_digit(known, codes, end, size):
            break
        end += 1
    return end


@leaf
def end_of_sum(known: Cleaning, codes: np.ndarray, start: Number, size: Number) -> Number:
    """Return where the longest sum of money at ``start`` ends that ends at the bound of a word."""
    for end in range(end_of_digits(known, codes, start, size), start, -1):
        is_unit = end < size and codes[end] in (_K, _M)
        if is_unit and not is_word(known, codes, end + 1, size):
            return end + 1
        if is_word(known, codes, end - 1, size) != is_word(known, codes, end, size):
            return end
    return -1


@leaf
def end_of_long_number(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """See ``_LONG_NUMBER``."""
    if is_word(known, codes, at - 1, size):
        return -1
    start = at + 1 if codes[at] == _PLUS else at
    if not is_digit(known, codes, start, size):
        return -1
    found = -1
    last = start
    for further in range(1, 20):
        following = last + 1
        while following < size and following - last < 3 and known.traits[codes[following]] & GAP:
            following += 1
        if not is_digit(known, codes, following, size):
            break
        last = following
        if further >= 6 and not is_word(known, codes, last + 1, size):
            found = last + 1
    if found >= 0 or start > at:
        return found
    end = at
    while is_digit(known, codes, end, size):
        end += 1
    return end if end - at >= 5 and not is_word(known, codes, end, size) else -1


@leaf
def end_of_token(
    known: Cleaning, kind: Number, codes: np.ndarray, at: Number, size: Number
) -> Number:
    """Return where what one kind of token stands for ends, if it is at ``at``."""
    if kind == URL:
        return end_of_url(known, codes, at, size)
    if kind == EMAIL:
        return end_of_email(known, codes, at, size)
    if kind == MONEY:
        return end_of_money(known, codes, at, size)
    return end_of_long_number(known, codes, at, size)


@leaf
def next_start(
    known: Cleaning, kind: Number, codes: np.ndarray, at: Number, size: Number
) -> Number:
    """Return where, from a place on, what one kind of token stands for may begin: the end if never.

    No place at which it does is left out.
    """
    if kind == URL:
        return next_url(known, codes, at, size)
    if kind == EMAIL:
        return next_email(known, codes, at, size)
    if kind == MONEY:
        return next_money(known, codes, at, size)
    while at < size:
        may_begin = codes[at] == _PLUS or known.traits[codes[at]] & DIGIT
        if may_begin and not is_word(known, codes, at - 1, size):
            break
        at += 1
    return at


@leaf
def next_url(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Return where an address may begin next: at a scheme, or at a label with a dot behind it."""
    sign = at
    while sign < size:
        while sign < size and codes[sign] != _DOT and codes[sign] != _COLON:
            sign += 1
        if sign == size:
            break
        start = start_of_run(known, codes, sign, OF_DOMAIN)
        is_first = start == 0 or known.traits[codes[start - 1]] & 3 != WORD
        if codes[sign] == _DOT and at <= start < sign and is_first:
            return start
        # "www", "http" and "https" may stand in the middle of a word.
        for start in (sign - 5, sign - 4, sign - 3):
            if start >= at and end_of_scheme(codes, start, size) >= 0:
                return start
        sign += 1
    return size


@leaf
def next_email(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Return where an address with an "@" may begin next: with all that it has before that."""
    sign = at
    while sign < size:
        while sign < size and codes[sign] != _AT:
            sign += 1
        start = start_of_run(known, codes, sign, OF_ADDRESS)
        if at <= start < sign < size:
            return start
        sign += 1
    return size


@leaf
def next_money(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Return where an amount may begin next: with its sign, a number, or a word before a number."""
    sign = at
    while sign < size:
        while sign < size and not known.traits[codes[sign]] & (AMOUNT | DIGIT):
            sign += 1
        if sign == size or known.traits[codes[sign]] & AMOUNT:
            break
        if is_word(known, codes, sign - 1, size):
            sign += 1
            continue
        stop = sign - (sign > 0 and codes[sign - 1] == _SPACE)
        stop -= stop > 0 and codes[stop - 1] == _DOT
        start = start_of_word(known, codes, stop)
        return start if at <= start < stop < sign else sign
    return sign


@leaf
def start_of_word(known: Cleaning, codes: np.ndarray, stop: Number) -> Number:
    """Return where the word begins that ends at a place, or some place in it if it is long."""
    start = stop
    while start > 0 and stop - start < 80 and known.traits[codes[start - 1]] & 3 == WORD:
        start -= 1
    return start


@leaf
def start_of_run(known: Cleaning, codes: np.ndarray, stop: Number, trait: Number) -> Number:
    """Return where characters with a trait begin that end before a place, or some place in them.

    The latter if they are more than a token has.
    """
    start = stop
    while start > 0 and stop - start < 80 and known.traits[codes[start - 1]] & trait:
        start -= 1
    return start


@leaf
def put_tokens(known: Cleaning, kind: Number, source: Draft, size: Number, target: Draft) -> Number:
    """Put the token of one kind in the place of all that it stands for; return the new length."""
    first, last = known.token_bounds[kind], known.token_bounds[kind + 1]
    kept, done = 0, 0
    at = next_start(known, kind, source.codes, 0, size)
    while at < size:
        end = end_of_token(known, kind, source.codes, at, size)
        if end < 0:
            end = at + 1
        else:
            kept = copy(source, done, at, target, kept)
            kept = put(known.token_codes, first, last, source, at, end, target, kept)
            done = end
        at = next_start(known, kind, source.codes, end, size)
    return copy(source, done, size, target, kept)


@leaf
def tokens_in(known: Cleaning, codes: np.ndarray, size: Number) -> Number:
    """Return the kinds of tokens, as bits, for which there may be something: never wrongly not.

    White space may be as wide as it was written.
    """
    found, has_digit, has_amount, digits, gap, run = 0, False, False, 0, 3, 0
    before = np.uint16(SPACE)
    for at in range(size):
        code = codes[at]
        traits = known.traits[code]
        if traits & DIGIT:
            has_digit = True
            run += 1
            digits = digits + 1 if gap < 3 else 1
            gap = 0
            if run > 4 or digits > 6:
                found |= 1 << LONG_NUMBER
        else:
            run = 0
            is_space = traits & 3 == SPACE
            if not is_space or before & 3 != SPACE:  # all of it becomes one space
                gap = gap + 1 if is_space or traits & GAP else 3
            has_amount |= (traits & AMOUNT) != 0
            if code == _AT:
                found |= 1 << EMAIL
            elif (code == _SLASH and at > 0 and codes[at - 1] == _SLASH) or (
                code == _DOT and is_in_address(known, codes, at, size)
            ):
                found |= 1 << URL
        before = traits
    # An address that is replaced leaves a bound where there was none, as in "5usdwww.example".
    if has_digit and (has_amount or found > 0 or has_currency(known, codes, size)):
        found |= 1 << MONEY
    return found


@leaf
def is_in_address(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Whether a dot is behind "www" or before the end of a domain."""
    if at > 2 and codes[at - 1] == _W and codes[at - 2] == _W and codes[at - 3] == _W:
        return True
    if at == 0 or not known.traits[codes[at - 1]] & OF_DOMAIN:
        return False
    return word_kind(known, codes, at + 1, size) & DOMAIN != 0


@leaf
def has_currency(known: Cleaning, codes: np.ndarray, size: Number) -> Number:
    """Whether a word is in a text that makes a number an amount."""
    before = np.uint16(SPACE)
    for at in range(size):
        traits = known.traits[codes[at]]
        is_first = traits & LETTER and not before & LETTER
        if is_first and word_kind(known, codes, at, size) & (MONEY_BEFORE | MONEY_AFTER):
            return True
        before = traits
    return False
