"""Whether a text is a resume at all, by rules that give their reasons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.resume_fields import Contact, Position, Study, Verdict
from models.resume_sections import Section

_LIKELY = 4.0
_FEW_WORDS, _MANY_WORDS = 40, 6_000

_POSTING = re.compile(
    r"\b(?:we(?: are|['’]re) (?:currently )?(?:looking for|seeking|hiring)"
    r"|currently (?:looking for|seeking)|equal opportunity employer|to apply|how to apply"
    r"|apply (?:now|today)|the (?:successful|ideal) candidate|you will|you['’]ll|you have"
    r"|your profile|your responsibilities|what you['’]ll do|what we offer|we offer|who you are"
    r"|about the role|about us|our team|join our|salary range|competitive salary|job description"
    r"|must have|wir suchen|wir bieten|ihre aufgaben|ihr profil|nous recherchons|votre profil"
    r"|buscamos|ofrecemos)\b",
    re.IGNORECASE,
)
_BILL = re.compile(
    r"\b(?:invoice|amount due|subtotal|total due|bill to|ship to|vat (?:no|number|id)|due date"
    r"|unit price|qty|quantity|payment terms|purchase order|balance due|order number|receipt"
    r"|rechnung(?:snummer)?|mwst|facture|factura|iban)\b",
    re.IGNORECASE,
)
_LETTER = re.compile(
    r"\b(?:dear (?:sir|madam|hiring|mr|ms|mrs|dr|all|team|recruit)|(?:yours )?sincerely"
    r"|kind regards|best regards|yours faithfully|i am writing to|sehr geehrte"
    r"|mit freundlichen grüßen)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"^\s*(?:import |from \w+ import|def |class \w+|#include|function |const |let |var |return\b"
    r"|if ?\(|for ?\(|public |private |package |using |\}|//|/\*|<\/?\w+[ >]|SELECT |\w+ = |@\w+$"
    r"|else\b)|[;{}]\s*$|\)\s*[:{]\s*$"
)
_OWN_WORK = re.compile(
    r"\b(?:responsible for|worked (?:as|at|on|with|in|for)|working (?:as|at)|years? of experience"
    r"|months of experience|roles? (?:and|&) responsibilities|project (?:title|name)|team size"
    r"|date of birth|hands[- ]on experience|experience (?:in|with|as)|i (?:am|have|was|led|built)"
    r"|my (?:role|work|experience)|career objective|declare that|references available)\b",
    re.IGNORECASE,
)
_STORY = re.compile(
    r"[\"“”«»„]|\b(?:said|asked|replied|whispered|chapter|she|he|her|his|him|they)\b", re.IGNORECASE
)
_PAPER = re.compile(
    r"\b(?:abstract|et al\.?|in this paper|we propose|related work|doi:|arxiv|figure [0-9]"
    r"|table [0-9])(?!\w)",
    re.IGNORECASE,
)
_BACKGROUND = frozenset({"experience", "education", "skills", "languages", "certifications"})


@dataclass(frozen=True)
class _Rule:
    weight: float
    holds: bool
    reason: str


def judge(
    text: str,
    contact: Contact,
    sections: Sequence[Section],
    experience: Sequence[Position],
    education: Sequence[Study],
) -> Verdict:
    """Return whether ``text`` is likely a resume: the weights of what holds sum to enough."""
    rules = [
        *_rules_for(text, contact, sections, experience, education),
        *_rules_against(text, contact, sections, experience),
    ]
    held = [rule for rule in rules if rule.holds]
    likely = sum(rule.weight for rule in held) >= _LIKELY
    reasons = [
        f"{'for' if rule.weight > 0 else 'against'}: {rule.reason}"
        for rule in sorted(held, key=lambda rule: -abs(rule.weight))
    ]
    return Verdict(likely, tuple(reasons) or ("against: nothing a resume has was found",))


def _rules_for(
    text: str,
    contact: Contact,
    sections: Sequence[Section],
    experience: Sequence[Position],
    education: Sequence[Study],
) -> list[_Rule]:
    kinds = {section.kind for section in sections if section.heading}
    background = len(kinds & _BACKGROUND)
    dated = sum(1 for entry in experience if entry.start and (entry.title or entry.organisation))
    own = _different(_OWN_WORK, text)
    top = bool(contact.emails or contact.phones)
    undated = sum(1 for entry in experience if not entry.start and entry.title)
    return [
        _Rule(1.0, top, "an e-mail address or a phone number"),
        _Rule(0.5, bool(contact.links), "links to profiles"),
        _Rule(1.0, contact.name is not None, "a name at the top"),
        _Rule(3.0, dated >= 2, f"{dated} positions with dates"),
        _Rule(1.5, dated == 1, "a position with dates"),
        _Rule(0.5, dated == 0 and undated > 0, "positions without dates"),
        _Rule(1.5, any(s.degree for s in education), "education with a degree"),
        _Rule(0.5, bool(education) and not any(s.degree for s in education), "education"),
        _Rule(0.75 * background, background > 0, f"{background} headings that resumes have"),
        _Rule(0.5, "summary" in kinds, "a summary"),
        _Rule(0.5 * min(own, 4), own >= 2, "phrases of a candidate about their work"),
    ]


def _rules_against(
    text: str, contact: Contact, sections: Sequence[Section], experience: Sequence[Position]
) -> list[_Rule]:
    words = len(text.split())
    lines = [line for line in text.splitlines() if line.strip()] or [""]
    posting = _different(_POSTING, text)
    bill = _different(_BILL, text)
    letter = _different(_LETTER, text)
    paper = _different(_PAPER, text)
    code = sum(1 for line in lines if _CODE.search(line)) / len(lines)
    story = sum(1 for _ in _STORY.finditer(text)) / max(words, 1)
    headings = sum(1 for section in sections if section.heading)
    return [
        _Rule(-1.5 * min(posting, 4), posting >= 2, "phrases of a job posting"),
        _Rule(-0.5, posting == 1, "a phrase of a job posting"),
        _Rule(-1.5 * min(bill, 4), bill >= 2, "words of an invoice"),
        _Rule(-1.5 * letter, letter >= 1, "phrases of a letter"),
        _Rule(-1.5 * paper, paper >= 2, "phrases of a paper"),
        _Rule(-6.0, len(lines) >= 5 and code > 0.3, "many lines read like source code"),
        _Rule(-3.0, words > 100 and story > 0.04, "it tells a story"),
        _Rule(-2.0, words < _FEW_WORDS, f"fewer than {_FEW_WORDS} words"),
        _Rule(-4.0, words > _MANY_WORDS, f"more than {_MANY_WORDS:,} words"),
        _Rule(-0.5, headings == 0, "no headings"),
        _Rule(
            -1.0,
            not (contact.emails or contact.phones or contact.links or contact.name),
            "no contact details",
        ),
        _Rule(-1.0, not experience, "no work history"),
    ]


def _different(phrases: re.Pattern[str], text: str) -> int:
    """Return how many different phrases occur in ``text``."""
    return len({" ".join(match[0].casefold().split()) for match in phrases.finditer(text)})
