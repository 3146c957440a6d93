"""Undo what damaged a text before it reached us, and mask personal data in it."""

import re

import ftfy

# Placeholders that models.text turns into the tokens the originals would become.
# A change of what is masked changes groups too, so that the texts it touches may change sides.
EMAIL = "someone@example.com"
PHONE = "5550100"

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_PHONE = re.compile(
    # International.
    r"(?<!\d)\+\d(?:[ ().-]{0,2}\d){6,14}(?!\d)"
    # Standing alone: a trunk prefix, the American grouping, or a stretch of digits; what follows a
    # currency sign, a point or an equals sign is an amount, a decimal or part of an address.
    r"|(?<![\w£$€₹₦¥,.+/=-])"
    r"(?:0\d{2,4}\)?(?:[ .-]?\d){5,9}|0\d(?:[ .-]\d\d){4}"
    r"|(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}|\d{7,9})"
    r"(?!\w|[.,]\d)"
    # As long as this it is one even where no space sets it off, as in "call09012345678now".
    r"|(?<![\d£$€₹₦¥])(?<!\d\.)\d{10,15}(?!\d)"
)

# Only what repairs damage: quotes, ligatures, width and line ends stay as people type them, for
# normalisation is the model's.
_REPAIRS = ftfy.TextFixerConfig(
    uncurl_quotes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    fix_line_breaks=False,
    remove_terminal_escapes=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)


def decode(text: str) -> str:
    """Return ``text`` with mojibake and HTML entities undone and outer white space removed.

    A replacement character stands for something lost before the text reached us; as no message
    will ever hold it, it becomes a space.
    """
    if text.isascii() and "&" not in text:  # nothing that could be damage, and most texts
        return text.strip()
    repaired: str = ftfy.fix_text(text, _REPAIRS)
    return repaired.replace("\ufffd", " ").strip()


def mask(text: str) -> str:
    """Return ``text`` with e-mail addresses and phone numbers replaced by placeholders."""
    return _PHONE.sub(PHONE, _EMAIL.sub(EMAIL, text))


def tidy(text: str) -> str:
    """Return ``text`` decoded, with single spaces, and at most one empty line between two lines."""
    unified = decode(text).replace("\r\n", "\n").replace("\r", "\n")
    lines = (" ".join(line.split()) for line in unified.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def tidy_line(text: str) -> str:
    """Return ``text`` decoded, on one line with single spaces."""
    return " ".join(decode(text).split())
