"""The table of all n-grams that some compiled models know, for one pass over each text."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.compiled import Block, CompiledModel
from models.errors import NotCompilableError
from models.ngram_building import memorise, number_terms, number_tokens
from models.ngram_layout import CLASS_BITS, Table, character_classes, notes_for

# Keys are exact while the base to the power of the longest n-gram fits into 64 bits. Beyond that
# they are hashes with this base: the known n-grams are checked to have different ones, and one that
# is not known passes for a known one with a chance of one in 2^64 for each pair.
_HASHING_RADIX = 0x9E3779B97F4A7C15

_NEWLINE, _SPACE = 10, 32

#: What terms count is tabulated up to so many times in one text.
_TABULATED = 256


def build_table(models: Sequence[CompiledModel]) -> Table:
    """Return the table of all n-grams of ``models``.

    Raises
    ------
    NotCompilableError
        If the models count terms in different ways, or two n-grams have one key.
    """
    if len({model.sublinear for model in models}) > 1:
        raise NotCompilableError("the models count terms in different ways")
    chars = _Terms([model.chars for model in models])
    words = _Terms([model.words for model in models])
    present = np.bincount(np.concatenate([chars.codes, words.codes, [_SPACE]]))
    present[_NEWLINE] = 0
    alphabet = np.flatnonzero(present)
    symbols = character_classes().copy()
    symbols[alphabet] |= np.arange(1, len(alphabet) + 1, dtype=np.uint32) << CLASS_BITS

    tokens = _Tokens(words, symbols)
    chars_found, char_uids, n_chars, char_radix = _numbered(
        (symbols[chars.codes] >> CLASS_BITS).astype(np.int64), chars, len(alphabet), 0
    )
    grams_found, word_uids, n_uids, word_radix = _numbered(
        tokens.numbers, tokens.terms, tokens.count, n_chars
    )
    single = tokens.terms.stops - tokens.terms.starts == 1
    token_uids = np.full(tokens.count + 1, -1, np.int32)
    token_uids[tokens.numbers[tokens.terms.starts[single]]] = word_uids[single]

    counts = np.arange(_TABULATED, dtype=np.float64)
    if models[0].sublinear:
        counts[1:] = 1.0 + np.log(counts[1:])
    width = len(models) + sum(len(model.intercepts) for model in models)
    table = Table(
        symbols=symbols,
        chars=chars_found,
        grams=grams_found,
        tokens=tokens.entries,
        token_bounds=tokens.bounds,
        token_symbols=tokens.symbols,
        token_uids=token_uids,
        memo_bounds=np.zeros((tokens.count + 2, 2), np.int64),
        memo=np.empty(0, np.uint32),
        memo_sums=_aligned(2 * tokens.count + 2, width).reshape(-1, 2, width),
        records=_records(models, _aligned(n_uids, width), char_uids, word_uids),
        head_models=np.repeat(np.arange(len(models)), [len(model.intercepts) for model in models]),
        intercepts=np.concatenate([model.intercepts for model in models]),
        term_weights=counts,
        sublinear=np.array([models[0].sublinear], np.uint8),
        radixes=np.array([char_radix, word_radix], np.uint64),
        lengths=np.array(
            [
                min(model.chars.lengths[0] for model in models),
                max(model.chars.lengths[1] for model in models),
                min(model.words.lengths[0] for model in models),
                max(model.words.lengths[1] for model in models),
            ]
        ),
    )
    return _with_memo(table)


def _with_memo(table: Table) -> Table:
    """Return ``table`` with what the character n-grams of every token are."""
    lengths = np.diff(table.token_bounds) + 2
    most = int(lengths.sum() * (table.lengths[1] - table.lengths[0] + 1))
    memo = np.empty(most, np.uint32)
    notes = notes_for(table, int(lengths.max()), np.zeros(len(table.records), np.int32))
    size = memorise(table, notes, table.memo_bounds, memo, table.memo_sums)
    return table._replace(memo=memo[:size].copy())


def _numbered(
    digits: np.ndarray, terms: "_Terms | _TokenTerms", highest: int, first_uid: int
) -> tuple[np.ndarray, np.ndarray, int, np.uint64]:
    """Return the table of ``terms``, their uids, the next free one, and the base of the keys."""
    entries = _room_for(len(terms.starts))
    radix = _radix(highest + 1, int((terms.stops - terms.starts).max()))
    uids, origins = (np.empty(len(terms.starts), np.int64) for _ in range(2))
    order = terms.order
    uids_in_order = np.empty(len(order), np.int64)
    next_uid = number_terms(
        *(entries, digits, terms.starts[order], terms.stops[order]),
        *(radix, first_uid, uids_in_order, origins),
    )
    if next_uid < 0:
        raise NotCompilableError("two n-grams have the same key")
    uids[order] = uids_in_order
    return entries, uids, next_uid, radix


class _Terms:
    """The terms of one block of each model: all their characters, and where each is in them.

    Attributes
    ----------
    order : ndarray of int64
        The terms from the most frequent one to the rarest.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        text = "\n".join(block.terms for block in blocks) + "\n"
        self.codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        self.stops = np.flatnonzero(self.codes == _NEWLINE)
        self.starts = np.concatenate([[0], self.stops[:-1] + 1])
        idf = np.concatenate([block.idf for block in blocks])
        if len(self.starts) != len(idf):
            raise NotCompilableError("there are other terms than weights")
        self.order = np.argsort(idf, kind="stable")


class _TokenTerms(NamedTuple):
    """The terms as :class:`_Terms` has them, in tokens instead of characters."""

    starts: np.ndarray
    stops: np.ndarray
    order: np.ndarray


class _Tokens:
    """The words of which terms are made, each under a number, from 1 on."""

    def __init__(self, terms: _Terms, symbols: np.ndarray) -> None:
        laid = symbols[terms.codes] >> CLASS_BITS
        stops = np.flatnonzero((terms.codes == _NEWLINE) | (terms.codes == _SPACE))
        starts = np.concatenate([[0], stops[:-1] + 1])
        lasts = np.searchsorted(stops, terms.stops) + 1
        firsts = np.concatenate([[0], lasts[:-1]])
        self.terms = _TokenTerms(firsts, lasts, terms.order)
        rank = np.empty_like(terms.order)
        rank[terms.order] = np.arange(len(rank))
        order = np.argsort(np.repeat(rank, lasts - firsts), kind="stable")
        bounds = np.empty(len(stops) + 1, np.int64)
        pool = np.empty(len(laid), np.uint32)
        numbers = np.empty(len(stops), np.int64)
        self.count = len(stops)
        for _ in range(2):  # how many differ is known once they are numbered: then make it small
            self.entries = _room_for(self.count)
            self.count = number_tokens(
                self.entries, laid, starts[order], stops[order], numbers, bounds, pool
            )
        self.numbers = np.empty(len(stops), np.int64)
        self.numbers[order] = numbers
        self.bounds = bounds[: self.count + 1].copy()
        self.symbols = pool[: self.bounds[-1]].copy()


def _records(
    models: Sequence[CompiledModel], records: np.ndarray, chars: np.ndarray, words: np.ndarray
) -> np.ndarray:
    """Fill in what every n-gram adds to each model's norm and heads; see :class:`Table`."""
    column, first = len(models), [0, 0]
    for number, model in enumerate(models):
        for at, (block, uids) in enumerate(((model.chars, chars), (model.words, words))):
            mine = uids[first[at] : first[at] + len(block.idf)]
            records[mine, number] = block.idf**2
            for head, weights in enumerate(block.weights):
                records[mine, column + head] = block.idf * weights
            first[at] += len(block.idf)
        column += len(model.intercepts)
    return records


def _aligned(rows: int, columns: int) -> np.ndarray:
    """Return zeros that begin with a line of the processor's cache."""
    room = np.zeros(rows * columns + 8)
    skip = -room.ctypes.data % 64 // 8
    return room[skip : skip + rows * columns].reshape(rows, columns)


def _room_for(entries: int) -> np.ndarray:
    """Return an empty table that is at most half full with so many entries."""
    return np.zeros((1 << (2 * entries - 1).bit_length(), 2), np.uint64)


def _radix(base: int, longest: int) -> np.uint64:
    return np.uint64(base if base**longest <= 2**64 else _HASHING_RADIX)
