"""How filters are dodged, to disguise training rows with: the model shall have seen such things.

``benchmarks.attacks`` tests with other characters, other rules and other seeds; a test holds the
two apart.
"""

import random
import re
from collections.abc import Callable, Mapping

Attack = Callable[[str, random.Random], str]

#: Characters that stand for a letter here; ``benchmarks.attacks`` has none of these pairs.
LEET = {
    "a": "@",
    "c": "(",
    "e": "€",
    "i": "1",
    "l": "|",
    "o": "()",
    "s": "5",
    "t": "+",
    "u": "v",
    "z": "2",
}
HOMOGLYPHS = {
    "a": "ᴀɑ",
    "b": "ɓƀ",
    "c": "ᴄƈ",
    "d": "ᴅɖ",
    "e": "ᴇɇ",
    "f": "ꜰƒ",
    "g": "ɢǥ",
    "h": "ʜħ",
    "i": "ɪı",
    "k": "ᴋƙ",
    "l": "ʟł",
    "m": "ᴍ",
    "n": "ɴƞ",
    "o": "ᴏø",
    "p": "ᴘƥ",
    "r": "ʀɍ",
    "s": "ꜱȿ",
    "t": "ᴛŧ",
    "u": "ᴜʉ",
    "v": "ᴠʋ",
    "w": "ᴡⱳ",
    "y": "ʏƴ",
    "z": "ƶȥ",
}
INVISIBLE = "\u200c\u200d\u00ad"

_WORD = re.compile(r"[A-Za-z]{3,}")


def leet(text: str, chance: random.Random) -> str:
    """Write most letters that have a look-alike as that digit or mark."""
    return "".join(LEET.get(char.lower(), char) if chance.random() < 0.7 else char for char in text)


def homoglyph(text: str, chance: random.Random) -> str:
    """Take half of the letters from another style."""

    def swap(char: str) -> str:
        glyphs = HOMOGLYPHS.get(char.lower())
        return chance.choice(glyphs) if glyphs and chance.random() < 0.5 else char

    return "".join(map(swap, text))


def zero_width(text: str, chance: random.Random) -> str:
    """Put something invisible after some letters."""
    return "".join(
        char + chance.choice(INVISIBLE) if char.isalpha() and chance.random() < 0.4 else char
        for char in text
    )


def spaced(text: str, chance: random.Random) -> str:
    """Set the letters of some words apart, by one mark or space throughout."""
    mark = chance.choice(" .-_*")
    return _WORD.sub(
        lambda word: mark.join(word.group()) if chance.random() < 0.6 else word.group(), text
    )


def repeated(text: str, chance: random.Random) -> str:
    """Draw the last vowel or the last letter of most words out."""

    def draw_out(word: re.Match[str]) -> str:
        if chance.random() < 0.3:
            return word.group()
        vowels = [at for at, char in enumerate(word.group()) if char in "aeiouAEIOU"]
        at = vowels[-1] if vowels and chance.random() < 0.7 else len(word.group()) - 1
        return word.group()[:at] + word.group()[at] * chance.randint(2, 5) + word.group()[at + 1 :]

    return _WORD.sub(draw_out, text)


def dropped_vowels(text: str, chance: random.Random) -> str:
    """Leave most vowels out of the inside of words, and now and then a star in their place."""
    star = "*" if chance.random() < 0.3 else ""

    def drop(word: re.Match[str]) -> str:
        kept = (
            star if char in "aeiouAEIOU" and chance.random() < 0.85 else char
            for char in word.group()[1:]
        )
        return word.group()[0] + "".join(kept)

    return _WORD.sub(drop, text)


def split_words(text: str, chance: random.Random) -> str:
    """Break half of the words in two, anywhere."""

    def split(word: re.Match[str]) -> str:
        if chance.random() < 0.5:
            return word.group()
        at = chance.randint(1, len(word.group()) - 1)
        return word.group()[:at] + chance.choice(" _~/") + word.group()[at:]

    return _WORD.sub(split, text)


#: Every attack rows are disguised with.
ATTACKS: Mapping[str, Attack] = {
    "leet": leet,
    "homoglyph": homoglyph,
    "zero_width": zero_width,
    "spaced": spaced,
    "repeated": repeated,
    "dropped_vowels": dropped_vowels,
    "split_words": split_words,
}


def disguise(text: str) -> str:
    """Return ``text`` disguised, the same on every run: all of it in one way, or word by word."""
    chance = random.Random(f"training {text}")
    attacks = list(ATTACKS.values())
    if chance.random() < 0.7:
        return chance.choice(attacks)(text, chance)
    return " ".join(chance.choice(attacks)(word, chance) for word in text.split(" "))
