"""Decode plain text and Markdown."""

import codecs

import charset_normalizer

from models.errors import CorruptError, EmptyDocumentError
from models.extract import Document, Limits, count_letters, refuse_type

# The longer marks first: that of UTF-32 begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What editors of the last thirty years have saved; a longer list makes for worse guesses.
CANDIDATES = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("koi8_r", "iso8859_2", "iso8859_15", "mac_roman"),
    *("gb18030", "big5", "cp932", "euc_jp", "cp949"),
    *("utf_16_le", "utf_16_be"),
]
_HIGH_BYTES = bytes(range(128, 256))
_WESTERN = 0.02  # of all bytes; the other alphabets need more bytes above ASCII
_MAX_CONTROLS = 0.001  # of all characters


def read_text(data: bytes, limits: Limits) -> Document:
    """Return the text of a file in whatever encoding.

    Raises
    ------
    UnsupportedTypeError
        If the bytes are not text.
    CorruptError
        If the text does not fit the encoding it declares.
    EmptyDocumentError
    """
    text, encoding = _decode(data)
    text = text[: 2 * limits.max_chars]
    controls = sum(char < " " and char not in "\t\n\r\f\v\x1b" for char in text)
    if controls > _MAX_CONTROLS * len(text):
        raise refuse_type("of a kind that is not read here")
    if not count_letters(text):
        raise EmptyDocumentError("The file holds no text. Send the one that does.")
    guess = f"The encoding of the text was guessed to be {encoding}; save it as UTF-8 to be sure."
    return Document(text=text, kind="text", warnings=(guess,) if encoding else ())


def _decode(data: bytes) -> tuple[str, str | None]:
    """Return the text, and the encoding when it was guessed."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), None
            except UnicodeDecodeError:
                raise CorruptError(
                    f"The text does not fit the encoding it declares, {encoding[:6].upper()}."
                    " Save it again as UTF-8."
                ) from None
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        pass
    ascii_bytes = len(data.translate(None, _HIGH_BYTES))
    if len(data) - ascii_bytes < _WESTERN * len(data):
        # Too little to guess from: a few accents and dashes in English.
        return data.decode("cp1252", "replace"), "cp1252"
    best = charset_normalizer.from_bytes(data, cp_isolation=CANDIDATES).best()
    if best is None:
        raise refuse_type("neither a document nor text in a known encoding", "Save it as UTF-8.")
    return data.decode(best.encoding, "replace"), best.encoding
