"""Which spellings found in a text mean their skills: the rules about context as compiled code.

It judges as :class:`models.skill_matcher.SkillMatcher` does in Python, which says why, over the
code points of a text and automata in place of patterns.
"""

import numpy as np

from models.native import Number, kernel, leaf
from models.skill_guards import (
    AFTER,
    BEFORE,
    CAPITALS,
    CUE_AFTER,
    CUE_BEFORE,
    CUE_WORDS,
    FOLLOWS_NOUN,
    LIST_MARK,
    MARKS,
    NEVER_FOLDED,
    SMALL_CUE,
    WEAK,
    WRITTEN,
    Guards,
    Text,
    follow,
    has_neighbour,
    is_alpha,
    is_ascii,
    is_title,
    is_upper,
    precede,
    span,
)
from models.skill_kernels import Phrases, find, may_have_address

#: What became of a text: it was judged; it may have addresses, which are to be taken out first; or
#: only Python knows whether one of its spellings is in the case of the table.
JUDGED, ADDRESSES, UNDECIDED = 0, 1, 2

# What a spelling found is: false, to be believed only in company, or true.
_FALSE, _DOUBTFUL, _OWN_CASE, _SURE = 0, 1, 2, 3


@leaf
def is_false_friend(
    known: Guards, text: Text, first: Number, last: Number, spelling: Number
) -> Number:
    """Whether a rule says that a spelling does not mean its skill here."""
    for rule in range(known.rule_bounds[spelling], known.rule_bounds[spelling + 1]):
        left, right, except_for = known.rules[rule]
        if precede(known, text, left, first, known.words[BEFORE]):
            return True
        if follow(known, text, right, last, last + known.words[AFTER]) and not follow(
            known, text, except_for, last, last + known.words[AFTER]
        ):
            return True
    return False


@leaf
def has_own_case(
    known: Guards, raw: np.ndarray, start: Number, end: Number, spelling: Number
) -> Number:
    """Whether a spelling is written as the table has it; -1 if Python has to say."""
    for variant in range(known.written_bounds[spelling], known.written_bounds[spelling + 1]):
        begin = known.variant_bounds[variant]
        if known.variant_bounds[variant + 1] - begin == end - start:
            offset = 0
            while offset < end - start and raw[start + offset] == known.variants[begin + offset]:
                offset += 1
            if offset == end - start:
                return 1
    return 0 if is_ascii(raw, start, end) else -1


@leaf
def stands_out(known: Guards, phrases: Phrases, text: Text, first: Number, last: Number) -> Number:
    """Whether its case tells a spelling from the everyday word."""
    raw = text.raw
    start, end = span(text, first, last)
    has_left = has_neighbour(phrases, text, first, first - 1)
    has_right = has_neighbour(phrases, text, last - 1, last)
    if is_title(known, raw, start, end):
        if has_left or not has_right:
            return True
        begin, stop = span(text, last, last + 1)
        # Of what is not ASCII nothing is one of these words in lower case.
        return is_ascii(raw, begin, stop) and follow(
            known, text, known.contexts[FOLLOWS_NOUN], last, last + 1
        )
    if end - start < 2 or not is_upper(known, raw, start, end):
        return True
    words = 0
    for side in range(2):
        token = last if side else first - 1
        if has_right if side else has_left:
            begin, stop = span(text, token, token + 1)
            if stop - begin > 1 and is_alpha(known, raw, begin, stop):
                if not is_upper(known, raw, begin, stop):
                    return True
                words += 1
    return words == 0


@leaf
def judge(
    known: Guards, phrases: Phrases, text: Text, first: Number, last: Number, spelling: Number
) -> Number:
    """Return what a spelling found is; -1 if Python has to say."""
    if is_false_friend(known, text, first, last, spelling):
        return _FALSE
    flags = known.flags[spelling]
    own_case = np.int64(0)
    if flags & WRITTEN:
        start, end = span(text, first, last)
        own_case = has_own_case(known, text.raw, start, end, spelling)
        if own_case < 0:
            return -1
    if not flags & WEAK and (
        not flags & WRITTEN or (own_case and stands_out(known, phrases, text, first, last))
    ):
        return _SURE
    if own_case:
        return _OWN_CASE
    if flags & NEVER_FOLDED:
        return _FALSE
    if flags & WRITTEN and flags & CAPITALS:
        start, end = span(text, first, last)
        if is_title(known, text.raw, start, end):
            return _FALSE
    return _DOUBTFUL


@leaf
def has_cue(known: Guards, text: Text, first: Number, last: Number, own_case: Number) -> Number:
    """Whether the words around a spelling announce a skill."""
    return (
        (
            own_case
            and precede(known, text, known.contexts[SMALL_CUE], first, known.words[CUE_WORDS])
        )
        or precede(known, text, known.contexts[CUE_BEFORE], first, known.words[CUE_WORDS])
        or follow(known, text, known.contexts[CUE_AFTER], last, last + 1)
    )


@leaf
def has_company(
    known: Guards, text: Text, hit: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> Number:
    """Whether a list that a spelling is in vouches for it."""
    first, last, category = hit[0], hit[1], known.categories[hit[2]]
    left = first
    while (
        left > 0
        and first - left < known.words[MARKS]
        and follow(known, text, known.contexts[LIST_MARK], left - 1, left)
    ):
        left -= 1
    if left < first and known.company[category, ends[left]]:
        return True
    right = last
    while (
        right < len(text.places)
        and right - last < known.words[MARKS]
        and follow(known, text, known.contexts[LIST_MARK], right, right + 1)
    ):
        right += 1
    if right > last and known.company[category, starts[right]]:
        return True
    beside = np.int64(ends[first] == known.tool) + np.int64(starts[last] == known.tool)
    return category == known.tool and beside > (0 if hit[3] == _OWN_CASE else 1)


@leaf
def keep_longest(hits: np.ndarray, is_sure: Number) -> None:
    """Call false what overlaps one before it, among the sure hits or among the doubtful ones."""
    free = np.int64(0)
    for hit in hits:
        if hit[3] != _FALSE and (hit[3] == _SURE) == is_sure:
            if hit[0] < free:
                hit[3] = _FALSE
            else:
                free = np.int64(hit[1])


@leaf
def vouch(
    known: Guards, text: Text, hits: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> None:
    """Call sure the doubtful hits that a cue or a list vouches for, and the others false.

    Parameters
    ----------
    hits : ndarray of int32, shape (n, 4)
    starts, ends : ndarray of uint8, shape (n_tokens + 1,)
        All 0.
    """
    for hit in hits:
        if hit[3] == _SURE:
            starts[hit[0]] = ends[hit[1]] = known.categories[hit[2]]
    # Of two hits neither of which contains the other's first token, only the nearest can overlap.
    taken = np.int64(0)
    for number in range(len(hits)):
        hit = hits[number]
        if hit[3] == _SURE:
            taken = np.int64(hit[1])
        elif hit[3] != _FALSE:
            following = hit[0]
            while following < hit[1] and starts[following] == 0:
                following += 1
            if hit[0] < taken or following < hit[1]:
                hit[3] = _FALSE
    for onward in range(2):
        for place in range(len(hits)):
            hit = hits[len(hits) - 1 - place if onward else place]
            if hit[3] != _DOUBTFUL and hit[3] != _OWN_CASE:
                continue
            has_heard = onward == 0 and has_cue(known, text, hit[0], hit[1], hit[3] == _OWN_CASE)
            if has_heard or has_company(known, text, hit, starts, ends):
                hit[3] = _SURE
                starts[hit[0]] = ends[hit[1]] = known.categories[hit[2]]


@kernel
def read_mentions(
    known: Guards,
    phrases: Phrases,
    raw: np.ndarray,
    codes: np.ndarray,
    origins: np.ndarray,
    may_refuse: Number,
) -> tuple[Number, np.ndarray]:
    """Return what became of a text, and the spellings that mean their skills, in order.

    Parameters
    ----------
    raw, codes : ndarray of uint32
        The text, and folded.
    origins : ndarray of int32
        Where each folded character was read; empty where it is in the same place.
    may_refuse : bool
        Refuse a text that may have addresses.

    Returns
    -------
    state : int
    mentions : ndarray of int32, shape (n, 3)
        The number of each spelling, and where it begins and ends in the raw text.
    """
    none = np.empty((0, 3), np.int32)
    if may_refuse and may_have_address(codes):
        return ADDRESSES, none
    parted, places, found = find(phrases, codes)
    text = Text(raw, origins, parted, places)
    hits = np.empty((len(found), 4), np.int32)
    hits[:, :3] = found
    for hit in hits:
        hit[3] = judge(known, phrases, text, hit[0], hit[1], hit[2])
        if hit[3] < 0:
            return UNDECIDED, none
    keep_longest(hits, True)
    keep_longest(hits, False)
    tokens = len(places)
    vouch(known, text, hits, np.zeros(tokens + 1, np.uint8), np.zeros(tokens + 1, np.uint8))
    mentions = np.empty((len(hits), 3), np.int32)
    size = 0
    for hit in hits:
        if hit[3] == _SURE:
            mentions[size, 0] = hit[2]
            mentions[size, 1], mentions[size, 2] = span(text, hit[0], hit[1])
            size += 1
    return JUDGED, mentions[:size]
