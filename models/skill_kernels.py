"""The words of a text and the spellings among them, found by compiled code.

What :mod:`models.skill_forms` has its patterns find is found here by plain loops, and the spellings
by one walk from each word: linear in the text, as no spelling is longer than some.
"""

from typing import NamedTuple

import numpy as np

from models.native import Number, kernel, leaf
from models.ngram_finding import hash_symbols, home, insert, place_of_token
from models.ngram_layout import MARK, SPACE, WORD

#: What is told of a code point beside its class: it is of a script without spaces.
UNSPACED = 4

#: How the keys of steps are packed: the node in the first digits, the word in these last ones.
WORD_BITS = np.uint64(32)

_NEW_LINE, _HASH, _APOSTROPHE, _PLUS, _HYPHEN, _DOT = 10, 35, 39, 43, 45, 46
_SLASH, _COLON, _AT, _UNDERSCORE = 47, 58, 64, 95
# The last two letters of what stands before the slash of an address (com, org, me, dev, in, ...).
_DOMAIN_ENDS = (0x6F6D, 0x7267, 0x6D65, 0x6576, 0x696E, 0x636F, 0x756B, 0x6475)


class Phrases(NamedTuple):
    """Spellings as a tree of words.

    Attributes
    ----------
    kinds : ndarray of uint8, shape (0x110000,)
        Of each code point its class, and whether it is ``UNSPACED``.
    words : ndarray of uint64, shape (n, 2)
        Open-addressing table of the words of all spellings: hash and number, from 1 on.
    word_bounds, word_codes : ndarray of int64 and uint32
        Their characters, as tokens have them in :class:`models.ngram_layout.Table`.
    heads : ndarray of bool, shape (65536,)
        Which hashes have in their last digits what a word has that a spelling begins with.
    firsts : ndarray of int32, shape (n_words + 1,)
        The node after a word that a spelling begins with, 0 where none does.
    steps : ndarray of uint64, shape (n, 2)
        Open-addressing table: node and word packed, and the node after that word.
    spellings : ndarray of int32, shape (n_nodes + 1,)
        The number of the spelling that ends at a node, -1 where none does.
    """

    kinds: np.ndarray
    words: np.ndarray
    word_bounds: np.ndarray
    word_codes: np.ndarray
    heads: np.ndarray
    firsts: np.ndarray
    steps: np.ndarray
    spellings: np.ndarray


@leaf
def head_of(digest: np.uint64) -> Number:
    """Return where ``heads`` tells of a word with this hash."""
    return np.int64((digest >> np.uint64(20)) & np.uint64(0xFFFF))


@leaf
def note_words(
    words: np.ndarray,
    heads: np.ndarray,
    firsts: np.ndarray,
    word_bounds: np.ndarray,
    word_codes: np.ndarray,
) -> None:
    """Fill the empty ``words`` and ``heads`` of :class:`Phrases`."""
    for word in range(1, len(word_bounds)):
        start, stop = word_bounds[word - 1], word_bounds[word]
        digest = hash_symbols(word_codes, start, stop)
        at = place_of_token(words, word_bounds, word_codes, word_codes, start, stop, digest)
        words[at, 0] = digest
        words[at, 1] = np.uint64(word)
        if firsts[word] > 0:
            heads[head_of(digest)] = True


@leaf
def plant(
    firsts: np.ndarray,
    steps: np.ndarray,
    spellings: np.ndarray,
    words: np.ndarray,
    bounds: np.ndarray,
) -> Number:
    """Build the tree of spellings; return how many nodes it has.

    Parameters
    ----------
    firsts, steps, spellings : ndarray
        Those of :class:`Phrases`: all 0, empty, and all -1.
    words : ndarray of int64
        The numbers of the words of all spellings, one after the other.
    bounds : ndarray of int64, shape (n_spellings + 1,)
        Where each begins in ``words``.
    """
    nodes = 0
    for spelling in range(len(bounds) - 1):
        head = words[bounds[spelling]]
        if firsts[head] == 0:
            nodes += 1
            firsts[head] = nodes
        node = np.int64(firsts[head])
        for at in range(bounds[spelling] + 1, bounds[spelling + 1]):
            key = np.uint64(node) << WORD_BITS | np.uint64(words[at])
            node = insert(steps, key, nodes + 1)
            nodes = max(nodes, node)
        spellings[node] = spelling
    return nodes


@leaf
def fold(
    places: np.ndarray,
    folded: np.ndarray,
    raw: np.ndarray,
    codes: np.ndarray,
    origins: np.ndarray,
) -> Number:
    """Write a text folded, and where each character was read; return its length.

    Parameters
    ----------
    places : ndarray of int32
        Where what a code point is folded to begins in ``folded``, which says its length first; 0
        for one that is folded to itself, -1 for one that is not known.
    folded, raw : ndarray of uint32

    Returns
    -------
    int
        -1 if a character is not known, or ``codes`` is too short.
    """
    size = 0
    for at in range(len(raw)):
        code = raw[at]
        place = places[code] if code < len(places) else -1
        if place < 0:
            return -1
        length = np.int64(folded[place])
        if size + length >= len(codes):
            return -1
        if place == 0:
            codes[size] = code
            origins[size] = at
            size += 1
        for offset in range(length):
            codes[size] = folded[place + 1 + offset]
            origins[size] = at
            size += 1
    return size


@leaf
def may_have_address(codes: np.ndarray) -> Number:
    """Whether an address may be in a folded text: never wrongly not."""
    for at in range(len(codes)):
        code = codes[at]
        if code == _AT:
            return True
        if code == _SLASH and at > 1:
            pair = np.int64(codes[at - 2]) << 8 | np.int64(codes[at - 1])
            for end in _DOMAIN_ENDS:
                if pair == end:
                    return True
            if codes[at - 1] == _SLASH and codes[at - 2] == _COLON:
                return True
        is_dot = code == _DOT and at > 2
        if is_dot and codes[at - 1] == 119 and codes[at - 2] == 119 and codes[at - 3] == 119:
            return True  # "www."
    return False


@leaf
def part(known: Phrases, codes: np.ndarray, parted: np.ndarray) -> None:
    """Copy a folded text, with a space for what joins two words."""
    size = len(codes)
    for at in range(size):
        code = codes[at]
        parted[at] = code
        may_join = code in (_HYPHEN, _DOT, _APOSTROPHE, _UNDERSCORE)
        if may_join and 0 < at < size - 1:
            before = codes[at - 1]
            is_joined = known.kinds[before] & 3 == WORD or before in (_PLUS, _HASH)
            if is_joined and known.kinds[codes[at + 1]] & 3 == WORD:
                parted[at] = np.uint32(32)


@leaf
def is_plain(code: Number) -> Number:
    """Whether a character is a small letter or a digit of ASCII."""
    return 97 <= code <= 122 or 48 <= code <= 57


@leaf
def end_of_token(known: Phrases, codes: np.ndarray, at: Number) -> Number:
    """Return where the token that begins at ``at`` ends; ``at`` itself if none does."""
    size = len(codes)
    kind, code = known.kinds[codes[at]], codes[at]
    stop = at + 1
    if kind & UNSPACED:
        while stop < size and known.kinds[codes[stop]] & UNSPACED:
            stop += 1
        return stop
    if kind == WORD:
        if code == _UNDERSCORE:
            return at
        while stop < size and known.kinds[codes[stop]] == WORD and codes[stop] != _UNDERSCORE:
            stop += 1
        if stop < size and (codes[stop] == _PLUS or codes[stop] == _HASH):
            if stop + 1 < size and codes[stop] == _PLUS and codes[stop + 1] == _PLUS:
                return stop + 2
            if stop + 1 == size or not is_plain(codes[stop + 1]):
                return stop + 1
        return stop
    if kind == MARK:
        is_net = (
            code == _DOT
            and at + 3 < size
            and codes[at + 1] == 110
            and codes[at + 2] == 101
            and codes[at + 3] == 116
            and (at + 4 == size or known.kinds[codes[at + 4]] & 3 != WORD)
        )
        return at + 4 if is_net else stop
    if code != _NEW_LINE:
        return at
    after = stop
    while after < size and known.kinds[codes[after]] == SPACE and codes[after] != _NEW_LINE:
        after += 1
    return stop if after < size and codes[after] == _NEW_LINE else at


@leaf
def divide(known: Phrases, codes: np.ndarray, places: np.ndarray, digests: np.ndarray) -> Number:
    """Find the tokens of a text in which words are parted; return how many.

    Parameters
    ----------
    places : ndarray of int32, shape (n, 2)
        Becomes where each token begins and ends.
    digests : ndarray of uint64
        Becomes the hash of each.
    """
    tokens, at = 0, 0
    while at < len(codes):
        stop = end_of_token(known, codes, at)
        if stop == at:
            at += 1
            continue
        places[tokens, 0], places[tokens, 1] = at, stop
        digests[tokens] = hash_symbols(codes, at, stop)
        tokens += 1
        at = stop
    return tokens


@leaf
def number_of(
    known: Phrases, codes: np.ndarray, places: np.ndarray, digests: np.ndarray, token: Number
) -> Number:
    """Return the number of a token, 0 if no spelling has it."""
    at = place_of_token(
        *(known.words, known.word_bounds, known.word_codes),
        *(codes, places[token, 0], places[token, 1], digests[token]),
    )
    return np.int64(known.words[at, 1])


@leaf
def step(known: Phrases, node: Number, word: Number) -> Number:
    """Return the node after a word, 0 where no spelling goes on like this."""
    key = np.uint64(node) << WORD_BITS | np.uint64(word)
    mask = np.uint64(len(known.steps) - 1)
    at = home(key, mask)
    while known.steps[at, 0] != key:
        if known.steps[at, 0] == np.uint64(0):
            return 0
        at = (at + 1) & np.int64(mask)
    return np.int64(known.steps[at, 1])


@leaf
def match(
    known: Phrases, codes: np.ndarray, places: np.ndarray, digests: np.ndarray, found: np.ndarray
) -> Number:
    """Find the spellings among tokens; return how many, -1 if ``found`` has no room for them.

    Parameters
    ----------
    codes : ndarray of uint32
        The text in which words are parted.
    places, digests : ndarray, shapes (n_tokens, 2) and (n_tokens,)
        As :func:`divide` leaves them.
    found : ndarray of int32, shape (n, 3)
        Becomes what :func:`find` returns.
    """
    hits = 0
    for first in range(len(places)):
        if not known.heads[head_of(digests[first])]:
            continue  # which spares looking most words up
        word = number_of(known, codes, places, digests, first)
        node, last, before = np.int64(known.firsts[word]), first + 1, hits
        while node > 0:
            if known.spellings[node] >= 0:
                if hits == len(found):
                    return -1
                found[hits, 0], found[hits, 1] = first, last
                found[hits, 2] = known.spellings[node]
                hits += 1
            if last == len(places):
                break
            word = number_of(known, codes, places, digests, last)
            if word == 0:
                break
            node = step(known, node, word)
            last += 1
        for offset in range((hits - before) // 2):
            for column in range(1, 3):
                other = hits - 1 - offset
                kept = found[before + offset, column]
                found[before + offset, column] = found[other, column]
                found[other, column] = kept
    return hits


@kernel
def find(known: Phrases, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tokens and spellings of a folded text.

    Returns
    -------
    parted : ndarray of uint32
        The text, with a space for what joins two words.
    places : ndarray of int32, shape (n_tokens, 2)
        Where each token begins and ends in it.
    found : ndarray of int32, shape (n, 3)
        The first token of each spelling, the one after its last, and its number: by the first, of
        one first the longest first.
    """
    size = len(codes)
    found = np.empty((size // 8 + 16, 3), np.int32)
    places = np.empty((size, 2), np.int32)
    parted = np.empty(size, np.uint32)
    digests = np.empty(size, np.uint64)
    part(known, codes, parted)
    tokens = divide(known, parted, places, digests)
    hits = match(known, parted, places[:tokens], digests, found)
    while hits < 0:
        found = np.empty((2 * len(found), 3), np.int32)
        hits = match(known, parted, places[:tokens], digests, found)
    return parted, places[:tokens], found[:hits]


@leaf
def write_line(parted: np.ndarray, places: np.ndarray, line: np.ndarray) -> Number:
    """Write tokens with a space between each two into ``line``; return how long it is."""
    size = 0
    for token in range(len(places)):
        if token > 0:
            line[size] = np.uint32(32)
            size += 1
        for at in range(places[token, 0], places[token, 1]):
            line[size] = parted[at]
            size += 1
    return size


@kernel
def read(
    known: Phrases, codes: np.ndarray, may_refuse: Number
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tokens and spellings of a folded text, as :func:`find` does, and their line.

    Parameters
    ----------
    codes : ndarray of uint32
    may_refuse : bool
        Return no line for a text that may have addresses, which are to be taken out first.

    Returns
    -------
    line : ndarray of uint32
        The tokens with a space between each two.
    places, found : ndarray of int32
    """
    if may_refuse and may_have_address(codes):
        codes = codes[:0]
    parted, places, found = find(known, codes)
    line = np.empty(2 * len(codes), np.uint32)
    return line[: write_line(parted, places, line)], places, found
