"""How filters are dodged, as the benchmark tests it: nothing here is used in training."""

import random
import re
from collections.abc import Callable, Mapping

Attack = Callable[[str, random.Random], str]

#: Characters that stand for a letter.
LEET = {"a": "4", "b": "8", "e": "3", "g": "9", "i": "!", "o": "0", "s": "$", "t": "7"}
HOMOGLYPHS = {
    "a": "аα",
    "b": "Ьʙ",
    "c": "сϲ",
    "d": "ԁⅾ",
    "e": "еҽ",
    "g": "ɡ",
    "h": "һհ",
    "i": "іι",
    "j": "ј",
    "k": "кκ",
    "l": "ⅼӏ",
    "m": "м",
    "n": "ոп",
    "o": "оοօ",
    "p": "рρ",
    "r": "г",
    "s": "ѕ",
    "t": "тτ",
    "u": "υս",
    "v": "ѵν",
    "w": "ԝω",
    "x": "хχ",
    "y": "уγ",
    "z": "ᴢ",
}
INVISIBLE = "\u200b\u2060\ufeff"

_WORD = re.compile(r"[A-Za-z]+")
_LONG_WORD = re.compile(r"[A-Za-z]{4,}")
_INNER_VOWELS = re.compile(r"(?<=[A-Za-z])[aeiouAEIOU]")


def leet(text: str, _random: random.Random) -> str:
    """Write every letter that has a look-alike as that digit or mark."""
    return "".join(LEET.get(char.lower(), char) for char in text)


def homoglyph(text: str, chance: random.Random) -> str:
    """Take two letters of three from another alphabet."""

    def swap(char: str) -> str:
        glyphs = HOMOGLYPHS.get(char.lower())
        return chance.choice(glyphs) if glyphs and chance.random() < 2 / 3 else char

    return "".join(map(swap, text))


def zero_width(text: str, chance: random.Random) -> str:
    """Put something invisible after every letter."""
    return _WORD.sub(
        lambda word: "".join(char + chance.choice(INVISIBLE) for char in word.group()), text
    )


def spaced(text: str, chance: random.Random) -> str:
    """Space all letters out; every other text loses the bounds of its words as well."""
    between = "   " if chance.random() < 0.5 else " "
    return between.join(" ".join(word) for word in text.split())


def fullwidth(text: str, _random: random.Random) -> str:
    """Write the forms that Asian typography has for Latin letters."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def repeated(text: str, chance: random.Random) -> str:
    """Draw one letter of each word out, to three to six."""

    def draw_out(word: re.Match[str]) -> str:
        at = chance.randrange(len(word.group()))
        return word.group()[:at] + word.group()[at] * chance.randint(3, 6) + word.group()[at + 1 :]

    return re.sub(r"[A-Za-z]{3,}", draw_out, text)


def dropped_vowels(text: str, _random: random.Random) -> str:
    """Leave out every vowel but the first letter of words of four letters or more."""
    return _LONG_WORD.sub(lambda word: _INNER_VOWELS.sub("", word.group()), text)


def split_words(text: str, chance: random.Random) -> str:
    """Break every word of four letters or more in two, by a space, a hyphen or a full stop."""

    def split(word: re.Match[str]) -> str:
        at = chance.randint(2, len(word.group()) - 2)
        return word.group()[:at] + chance.choice(" -.") + word.group()[at:]

    return _LONG_WORD.sub(split, text)


_OF_ONE_WORD: tuple[Attack, ...] = (
    leet,
    homoglyph,
    zero_width,
    spaced,
    fullwidth,
    repeated,
    dropped_vowels,
    split_words,
)


def mixed(text: str, chance: random.Random) -> str:
    """Disguise each word in a way of its own."""
    return " ".join(chance.choice(_OF_ONE_WORD)(word, chance) for word in text.split())


#: Every attack that is tested, by its name in the table.
ATTACKS: Mapping[str, Attack] = {
    "leet": leet,
    "homoglyph": homoglyph,
    "zero-width": zero_width,
    "spaced": spaced,
    "fullwidth": fullwidth,
    "repeated letters": repeated,
    "dropped vowels": dropped_vowels,
    "split words": split_words,
    "mixed": mixed,
}


def disguise(text: str, attack: str) -> str:
    """Return ``text`` under one attack of ``ATTACKS``, the same on every run."""
    return ATTACKS[attack](text, random.Random(f"bench {attack} {text}"))
