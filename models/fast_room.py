"""What the kernels that read messages are given: what models know, and room for one text.

One room is enough for all threads, since these kernels keep the interpreter. It grows with the
longest text that was seen, and is kept.
"""

import threading
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from models.cleaning_kernels import measure
from models.cleaning_layout import FOLD_BITS, FOLDED, GROWTH, Cleaning, desk_for
from models.native import places_of
from models.ngram_layout import Table, notes_for
from models.text import FOLDS, MAX_CHARS

# Characters of the longest text that there is room for at first.
_SHORT = 512


class FastRoom:
    """What some models know, and room for the texts that kernels read for them.

    Parameters
    ----------
    known : Cleaning
    table : Table, optional
        Without it texts can be cleaned alone.

    Attributes
    ----------
    places : ndarray of int64
        What kernels are given, in groups as :mod:`models.cleaning_kernels` numbers them. It tells
        of the room there was at a time: who calls a kernel reads it after :meth:`take_in`.
    """

    def __init__(self, known: Cleaning, table: Table | None = None) -> None:
        self._known = known
        self._table = table
        self._counts = np.zeros(0 if table is None else len(table.records), np.int32)
        self._changing = threading.Lock()
        self._folded, self._longest = 0, 0
        self._learn(range(128))
        self._grow(_SHORT)

    def take_in(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, int]:
        """Make room for raw texts; what lies beyond ``MAX_CHARS`` is cut.

        Returns
        -------
        codes : ndarray of uint32
            Their code points, one text after the other.
        lengths : ndarray of int64, shape (n_texts,)
            How many each has.
        longest : int
            How many characters the longest is folded to.
        """
        lengths = np.array([min(len(text), MAX_CHARS) for text in texts], np.int64)
        joined = "".join([text[:MAX_CHARS] for text in texts])
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        longest = int(lengths.max(initial=0))
        if not joined.isascii():
            longest = measure(self.places, codes, lengths)
            if longest < 0:
                self._learn(set(map(ord, joined)))
                longest = measure(self.places, codes, lengths)
        if longest > self._longest:
            self._grow(longest)
        return codes, lengths, longest

    def _learn(self, codes: Iterable[int]) -> None:
        """Note what code points are folded to."""
        folds, fold_codes = self._known.folds, self._known.fold_codes
        with self._changing:
            for code in codes:
                folded = FOLDS[code]
                if folds[code]:
                    continue
                payload = ord(folded) if len(folded) == 1 else self._folded
                if len(folded) != 1:
                    self._folded += len(folded)
                    fold_codes[payload : self._folded] = list(map(ord, folded))
                folds[code] = payload << FOLD_BITS | FOLDED | len(folded)

    def _grow(self, longest: int) -> None:
        """Make room for folded texts of so many characters."""
        with self._changing:
            if longest <= self._longest:
                return
            longest = 1 << (longest - 1).bit_length()
            groups: list[Any] = [self._known, self._table or (), desk_for(longest)]
            if self._table is not None:
                groups.append(notes_for(self._table, GROWTH * longest + 16, self._counts))
            self.places = places_of(*groups)
            self._longest = longest
