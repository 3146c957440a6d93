"""Letters of other alphabets and styles that look like a Latin letter, for folding homoglyphs.

Only single code points that NFKD and case folding leave as they are; mathematical, fullwidth and
accented forms need no entry. After Unicode Technical Standard #39 (confusable detection), reduced
to the letters that are used to dodge filters.
"""

_LOOKALIKES = {
    "a": "аαɑᴀꭺа",
    "b": "ЬьъвʙƄƅᏏ",
    "c": "сϲᴄⅽςϹꮯ",
    "d": "ԁɗᴅꭰ",
    "e": "еєҽεᴇꬲℯ",
    "f": "ғƒꜰϝ",
    "g": "ɡցɢԍ",
    "h": "һհʜн",
    "i": "іιıɪӏ",
    "j": "јϳᴊ",
    "k": "кκᴋĸ",
    "l": "ⅼʟǀӀ",
    "m": "мᴍⅿ",
    "n": "ոռηɴп",
    "o": "оοσօᴏσ๐०০",
    "p": "рρᴘ",
    "q": "ԛգ",
    "r": "гʀᴦɾ",
    "s": "ѕꜱʂ",
    "t": "тτᴛ",
    "u": "υսᴜʋц",
    "v": "νѵᴠ",
    "w": "ԝωᴡшѡɯ",
    "x": "хχ×",
    "y": "уүγʏყ",
    "z": "ᴢʐ",
}

CONFUSABLES: dict[str, str] = {
    glyph: letter for letter, glyphs in _LOOKALIKES.items() for glyph in glyphs
}
