"""One room for all threads, which grows with what is read in it."""

import os
import random
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from models.fast_cleaning import cleaning_of, trace_text
from models.fast_room import FastRoom
from models.fast_scoring import FastScorer
from models.native import places_of, room_of
from models.params import NormaliseParams
from models.text import MAX_CHARS, normalise
from tests.factories import MESSAGES
from tests.models.test_fast_scoring import compiled, pipelines

RULES = NormaliseParams(tokens=True, respell=False, identity=True)


def opened() -> FastRoom:
    return FastRoom(cleaning_of([(RULES, None)]))


def test_a_room_grows_with_what_a_text_is_folded_to() -> None:
    room = opened()
    for text in ("ﷺ" * 700, "1 " * 900, "ﷺ1 " * 5_000, "a", "x" * 3_000, ""):
        assert trace_text(room, 0, text)[0] == normalise(text, RULES)


def test_every_character_is_folded_when_it_is_met_and_ever_after() -> None:
    room = opened()
    for _ in range(2):
        for first in (0, 0x80, 0x1100, 0x3300, 0xA000, 0xD7F0, 0xFB00, 0x10000, 0x1D400, 0x1F100):
            text = " ".join(map(chr, range(first, first + 0x300)))
            assert trace_text(room, 0, text)[0] == normalise(text, RULES)


def test_what_lies_beyond_the_longest_text_is_cut() -> None:
    for text in ("ab " * MAX_CHARS, "ab " * (MAX_CHARS // 3) + "b é", "é" + "ab " * MAX_CHARS):
        codes, lengths, longest = opened().take_in([text, "a"])
        assert (lengths.tolist(), longest) == ([MAX_CHARS, 1], MAX_CHARS)
        assert len(codes) == MAX_CHARS + 1


def test_threads_that_read_in_one_room_do_not_disturb_each_other() -> None:
    scorer = FastScorer([compiled(pipeline) for pipeline in pipelines()])
    chance = random.Random(1)
    words = " ".join(text for text, _, _ in MESSAGES).split()
    texts = [
        " ".join(chance.choices([*words, "é", "ﷺ", chr(0x3400 + number)], k=1 << number % 12))
        for number in range(240)
    ]
    with ThreadPoolExecutor(8) as pool:
        together = list(
            pool.map(lambda text: (scorer.scores([text]), scorer.shown(1, text)), texts)
        )
    for text, (scores, shown) in zip(texts, together, strict=True):
        alone = scorer.scores([text])
        assert all((one == other).all() for one, other in zip(scores, alone, strict=True))
        assert shown == scorer.shown(1, text)


def test_what_places_tell_of_is_kept_as_long_as_they_are() -> None:
    array = np.arange(1000)
    seen = weakref.ref(array)
    places = places_of((array,))
    assert places[0, 0].tolist() == [array.ctypes.data, 1000, 0, 0]
    del array
    assert seen() is not None
    del places
    assert seen() is None


def test_a_process_that_was_forked_has_a_room_of_its_own() -> None:
    room = room_of((3, 4), np.int32)
    room[:] = 1
    child = os.fork()
    if child == 0:
        room[:] = 2
        os._exit(0)
    os.waitpid(child, 0)
    assert (room == 1).all()
