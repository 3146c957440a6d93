"""Letters of other alphabets and styles that look like a Latin letter, for folding homoglyphs.

Only single code points that NFKD and case folding leave as they are; mathematical, fullwidth and
accented forms need no entry. After Unicode Technical Standard #39 (confusable detection), reduced
to the letters that are used to dodge filters. Latin letters with strokes, hooks and in small
capitals are known by their names.
"""

import re
import unicodedata

_LOOKALIKES = {
    "a": "аαɑᴀꭺаꓮᎪⲁաǟ",
    "b": "ЬьъвʙƄƅᏏꓐᏴβб",
    "c": "сϲᴄⅽςϹꮯꓚᏟⲥ",
    "d": "ԁɗᴅꭰꓓδ",
    "e": "еєҽεᴇꬲℯꓰᎬⲉ",
    "f": "ғƒꜰϝꓝſ",
    "g": "ɡցɢԍꓖᏀ",
    "h": "һհʜнꓧᎻⲏ",
    "i": "іιıɪӏꓲᎥⲓւ",
    "j": "јϳᴊꓙᎫ",
    "k": "кκᴋĸꓗᏦⲕ",
    "l": "ⅼʟǀӀꓡᏞլ",
    "m": "мᴍⅿꓟᎷⲙ",
    "n": "ոռηɴпꓠⲛπи",
    "o": "оοσօᴏσ๐०০ꓳⲟⴰ",
    "p": "рρᴘꓑᏢⲣ",
    "q": "ԛգ",
    "r": "гʀᴦɾꓣᎡᏒяⲅ",
    "s": "ѕꜱʂꓢᏚ",
    "t": "тτᴛꓔⲧ",
    "u": "υսᴜʋцꓴμ",
    "v": "νѵᴠꓦᏙ",
    "w": "ԝωᴡшѡɯꓪᎳ",
    "x": "хχ×ꓫⲭ",
    "y": "уүγʏყꓬᎩⲩ",
    "z": "ᴢʐꓜᏃⲍ",
}

# Case folding comes first, and makes capitals of small Cherokee letters alone.
_CONFUSABLES = {
    glyph.casefold(): letter for letter, glyphs in _LOOKALIKES.items() for glyph in glyphs
}

_LATIN = re.compile(
    r"LATIN (?:SMALL |CAPITAL )?LETTER "
    r"(?:SMALL CAPITAL |DOTLESS |SCRIPT |OPEN |TURNED |REVERSED |INSULAR )*([A-Z])(?: WITH .*)?"
    r"|NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER ([A-Z])"
)


def lookalike(char: str) -> str:
    """Return the Latin letter that a case-folded character looks like, or the character."""
    if char.isascii() or len(char) > 1:
        return char
    if char in _CONFUSABLES:
        return _CONFUSABLES[char]
    named = _LATIN.fullmatch(unicodedata.name(char, ""))
    return (named[1] or named[2]).lower() if named else char
