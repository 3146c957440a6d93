"""Whether a posting says that the job is done from anywhere."""

import re

_WORD = r"(?:remote(?:ly)?|work(?:ing)? from home|telecommut(?:e|ing)|telework(?:ing)?)"

_REFUSED = re.compile(
    rf"\b(?:no|not|non|cannot be|isn't)(?: a| an| be| done| possible)?[ -]{_WORD}\b"
    rf"|\b{_WORD}(?: work| option)?(?: is)? not (?:available|allowed|possible|an option)",
    re.IGNORECASE,
)

# A few days a week, or a share of the work that is not all of it.
_IN_PART = re.compile(
    rf"\b(?:part(?:ial|ially|ly)?|hybrid|\d days?(?: \S{{1,6}})?|[1-9]\d?\s?%)\W{{0,3}}{_WORD}\b"
    rf"|\b{_WORD},?\W{{0,3}}(?:\d days?|part[- ]time)\b",
    re.IGNORECASE,
)

# In a title the word speaks of the job, unless it names what is looked after.
_IN_TITLE = re.compile(
    rf"\b{_WORD}\b(?! (?:sens|support|access|desktop|monitor|system|site|infrastructure|server"
    r"|office|management))",
    re.IGNORECASE,
)

# In running text it mostly speaks of sensors, offices and customers.
_IN_TEXT = re.compile(
    r"\b(?:100 ?%|fully|completely|entirely|all)[ -]remote\b"
    r"|\bremote (?:position|role|job|contract|opportunity|company)\b"
    rf"|\b(?:this is|(?:position|role|job) is) (?:a |an )?(?:\w+, )?{_WORD}\b"
    r"|\bwork (?:remotely|from home) from anywhere\b",
    re.IGNORECASE,
)

_PLACE = re.compile(r"\W*(?:remote|anywhere|work from home)\b", re.IGNORECASE)


def is_remote(title: str, location: str, text: str) -> bool | None:
    """Return whether the job is remote by what the posting says; None if it does not say.

    Work that is remote in part is neither, so it is None as well.

    Parameters
    ----------
    text : str
        All of the posting, its title included.
    """
    if _REFUSED.search(text):
        return False
    if _IN_PART.search(text):
        return None
    found = _PLACE.match(location) or _IN_TITLE.search(title) or _IN_TEXT.search(text)
    return True if found else None
