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
    Cleaning,
    is_mark,
    word_at,
)
from models.native import Number, leaf
from models.ngram_layout import WORD

#: What tokens stand for, in the order in which they are put in.
URL, EMAIL, MONEY, LONG_NUMBER = range(4)

_SPACE, _PLUS, _COMMA, _HYPHEN, _DOT, _SLASH, _COLON, _AT = 32, 43, 44, 45, 46, 47, 58, 64
_H, _K, _M, _P, _S, _T, _W, _X = 104, 107, 109, 112, 115, 116, 119, 120


@leaf
def is_word(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Whether a character of a word is at a place, which may be outside of the text."""
    return 0 <= at < size and known.kinds[codes[at]] & 3 == WORD


@leaf
def is_digit(known: Cleaning, codes: np.ndarray, at: Number, size: Number) -> Number:
    """Whether a digit is at a place, which may be behind the text."""
    return at < size and known.kinds[codes[at]] & DIGIT != 0


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
    return known.word_kinds[word_at(known, codes, start, stop)]


@leaf
def is_word_of(
    known: Cleaning, codes: np.ndarray, start: Number, size: Number, kind: Number
) -> Number:
    """Whether a word of a kind begins at ``start``, and not within another one."""
    if is_word(known, codes, start - 1, size):
        return False
    return word_kind(known, codes, start, size) & kind != 0


@leaf
def is_of_domain(code: Number) -> Number:
    """Whether a character may come before the dot of a domain."""
    return 97 <= code <= 122 or 48 <= code <= 57 or code == _HYPHEN


@leaf
def is_of_address(known: Cleaning, code: Number) -> Number:
    """Whether a character may come before the "@" of an address."""
    is_sign = code in (_DOT, _PLUS, _HYPHEN)
    return is_sign or known.kinds[code] & 3 == WORD


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
        while end < size and end - start < 64 and is_of_domain(codes[end]):
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
    if at > 0 and is_of_address(known, codes[at - 1]):
        return -1
    end = at
    while end < size and end - at < 65 and is_of_address(known, codes[end]):
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
    if known.kinds[codes[at]] & AMOUNT:
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
    if end < size and known.kinds[codes[end]] & AMOUNT:
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
        while following < size and following - last < 3 and is_mark(known, codes[following], GAP):
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
def put_tokens(
    known: Cleaning,
    kind: Number,
    codes: np.ndarray,
    origins: np.ndarray,
    size: Number,
    out: np.ndarray,
    out_origins: np.ndarray,
) -> Number:
    """Put the token of one kind in the place of all that it stands for."""
    first, last = known.token_bounds[kind], known.token_bounds[kind + 1]
    kept = 0
    at = 0
    while at < size:
        end = end_of_token(known, kind, codes, at, size)
        if end < 0:
            out[kept] = codes[at]
            out_origins[kept, 0], out_origins[kept, 1] = origins[at, 0], origins[at, 1]
            kept += 1
            at += 1
            continue
        is_as_long = end - at == last - first  # then it maps character by character
        for each in range(last - first):
            out[kept] = known.token_codes[first + each]
            begins, ends = (at + each, at + each) if is_as_long else (at, end - 1)
            out_origins[kept, 0], out_origins[kept, 1] = origins[begins, 0], origins[ends, 1]
            kept += 1
        at = end
    return kept


@leaf
def has_tokens(known: Cleaning, codes: np.ndarray, size: Number) -> Number:
    """Whether an address, an amount or a long number may be in a text: never wrongly not."""
    has_digit, has_amount, digits, gap, run = False, False, 0, 3, 0
    for at in range(size):
        code = codes[at]
        if known.kinds[code] & DIGIT:
            has_digit = True
            run += 1
            digits = digits + 1 if gap < 3 else 1
            gap = 0
            if run > 4 or digits > 6:
                return True
            continue
        run = 0
        gap = gap + 1 if is_mark(known, code, GAP) else 3
        if code == _AT:
            return True
        has_amount |= (known.kinds[code] & AMOUNT) != 0
        if code == _SLASH and at > 0 and codes[at - 1] == _SLASH:
            return True
        if code == _DOT and at > 0:
            before = codes[at - 1]
            if at > 2 and before == _W and codes[at - 2] == _W and codes[at - 3] == _W:
                return True
            if is_of_domain(before) and word_kind(known, codes, at + 1, size) & DOMAIN:
                return True
        is_letter = known.kinds[code] & LETTER
        if is_letter and (at == 0 or not known.kinds[codes[at - 1]] & LETTER):
            has_amount |= word_kind(known, codes, at, size) & (MONEY_BEFORE | MONEY_AFTER) != 0
    return has_digit and has_amount
