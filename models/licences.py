"""Whether what a model learnt from may be passed on, by the words of its sources' licences."""

import re
from collections.abc import Mapping

from models.manifest import Source

# Whatever else a licence says, with one of these nobody may pass the data on, or nobody knows.
_FORBIDDING = re.compile(
    r"\b(?:do not|don't|not to be|must not be|may not be|no) (?:re)?(?:distribut\w+|publish\w*)"
    r"|\bresearch(?: and \w+)? (?:use|purposes?|only)\b|\bfor research\b|\bacademic use\b"
    r"|\bnon-?commercial\b|\bnc\b|\bno ?derivatives?\b|\bnd\b"
    r"|\b(?:unstated|unknown|unclear|unverified|not verified)\b"
    r"|\b(?:proprietary|confidential|all rights reserved|personal use)\b",
    re.IGNORECASE,
)

# Licences under which anybody may pass on what they cover, some of them with attribution.
_ALLOWING = re.compile(
    r"\b(?:apache|mit|bsd|isc|unlicense|[al]?gpl|mpl)\b"
    r"|\bcc0\b|\bcc[ -]by\b|\bcreative commons (?:zero|attribution)\b|\bpublic domain\b"
    r"|\b(?:pddl|odc-by|odbl|cdla-permissive|cdla-sharing)\b"
    r"|\bopen government licen[cs]e\b|\breuse with attribution\b",
    re.IGNORECASE,
)


def obstacle(licence: str) -> str | None:
    """Return what in ``licence`` stands against passing on what it covers; None if nothing does.

    A licence is free text, so what is not known to allow it counts as forbidding it.

    Parameters
    ----------
    licence : str
        As ``data/sources.yaml`` words it.
    """
    words = " ".join(licence.split())
    if found := _FORBIDDING.search(words):
        return f"says “{found.group()}”"
    if not _ALLOWING.search(words):
        return f"“{words}” is no licence known to allow it"
    return None


def obstacles(sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the sources that may not be passed on, each with the reason."""
    found = {name: obstacle(source.licence) for name, source in sources.items()}
    return {name: reason for name, reason in found.items() if reason is not None}
