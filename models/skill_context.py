"""Which hits of the skill matcher are false friends, and what vouches for a doubtful one.

Rules see folded words: the three before a hit and the four after it. They run on hits alone, and
only on those of the spellings they name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.skill_forms import PARAGRAPH
from models.taxonomy import Category

#: Words of context on either side that a rule sees.
WORDS_BEFORE = 3
WORDS_AFTER = 4


@dataclass(frozen=True)
class Rule:
    """Where a spelling does not mean the skill.

    Attributes
    ----------
    spellings : str
        The spellings concerned, separated by "|".
    reason : str
        What it means there.
    before, after : str
        Patterns of the words that precede it, and of those that follow; either one rejects.
    unless : str
        Pattern of words that follow where ``after`` does not reject.
    """

    spellings: str
    reason: str
    before: str = ""
    after: str = ""
    unless: str = ""


_LANGUAGES = (
    "english|german|dutch|swedish|norwegian|danish|french|italian|spanish|portuguese|russian|"
    "polish|greek|turkish|arabic|chinese|japanese|korean|vietnamese|thai|indonesian"
)

RULES: tuple[Rule, ...] = (
    Rule(
        "go",
        "the verb",
        "you|we|they|i|ll|can|will|must|on the|good to|ready to",
        "to|live|beyond|above|ahead|further|public|global|green|getters?|the extra|an extra",
    ),
    Rule(
        "excel",
        "the verb",
        "(?:to|will|you|we|they|who|can|must|should|helps?|consistently|truly|always)",
        "at|as|within|under|academically|professionally|"
        "in (?:an?|the|this|your|our|their|its|all|any|every|each|what|fast|high|school)",
        "as well",
    ),
    Rule("r", "research and development, possessives", after="[&']"),
    Rule(
        "c",
        "grades, vitamins, sections, executives",
        "vitamin|hepatitis|grade|class|series|plan|section|appendix|type|usb|schedule|category|"
        "level|phase|group|unit|annex|exhibit|article|[°&$]",
        "suite|level|section|corps?|class|[&$]",
    ),
    Rule(
        "spring",
        "the season",
        "this|next|last|early|late|during|every|each|summer|winter|hot",
        r"\d{4}|semester|term|break|season|cleaning|intern\w*|summer|fall|/ (?:summer|fall)|"
        "and (?:summer|fall)",
    ),
    Rule("oracle", "a prophet", after="of"),
    Rule("rust", "a region, corrosion", after=r"belt|removal|proof\w*|prevention|resistant"),
    Rule("ruby", "the colour", after="red|ring|slippers|tuesday"),
    Rule(
        "swift",
        "the adjective, the bank network",
        after=r"response|action|resolution|delivery|turnaround|codes?|messag\w+|payments?",
    ),
    Rule(
        "word",
        "what one speaks",
        "key|a|the|every|each|any|last|one|your|spoken|of",
        "of|for word|on the|count|choice",
    ),
    Rule("access", "entry", after=r"to|control\w*|rights|management|points?"),
    Rule(
        "express",
        "the verb, names of companies",
        "american|federal|to|can|clearly",
        "interest|ideas|your|our|their|written|scripts|warranty|or implied|consent|concerns?",
    ),
    Rule(
        "react",
        "the verb",
        "to|will|can|you|they|quickly|how",
        "to|quickly|well|calmly|appropriately|swiftly|fast|positively|when|accordingly",
    ),
    Rule("rest", "what is left, repose", "the", "of|assured|day|periods?|rooms?|breaks?"),
    Rule("make", "the verb", after="an?|the|sure|it|our|your|their|decisions|use|every|things|up"),
    Rule("node", "of a graph, of a network", "lymph|multi|leaf|each|every|single", "of"),
    Rule("teams", "groups of people", "functional|our|your|their|all|multiple|of", "of|to|across"),
    Rule("zoom", "the verb", "to|can|optical", "in|out|lens"),
    Rule("notion", "an idea", "the|a|this|any", "of|that"),
    Rule("outlook", "what to expect", "positive|optimistic|financial|economic|an", "for|on|of"),
    Rule("unity", "togetherness", after="of|in|among"),
    Rule("spark", "the verb, a flash", "the|a|to|will", "an?|interest|plugs?|joy|new"),
    Rule("hive", "bees", "the|bee", "of|mind"),
    Rule("scratch", "from nothing", "from", "that|cooking|off"),
    Rule("maven", "an expert", "an?|marketing|media"),
    Rule("lean", "the verb, not fat", "to|we|can", "on|in|into|towards?|team|body|muscle|meat"),
    Rule("epic", "great", "an|truly", "adventure|stories|journey|scale|proportions|and"),
    Rule("salt|chef|puppet|vault|packer|nomad", "food, things, people", after="lake|and pepper"),
    Rule("latin", "a region", after=r"america\w*|music|dance|food"),
    Rule("facebook|instagram|tiktok|pinterest", "where to find the employer", "us on|via|our"),
    Rule(
        _LANGUAGES,
        "a nationality, a school subject, the language to apply in",
        "apply in|application in|submitted in",
        "compan(?:y|ies)|markets?|offices?|cuisine|restaurants?|banks?|government|citizens?|"
        "nationals?|embassy|food|subsidiary|economy|laws?|history|culture|literature|lessons|"
        "classes|courses|universit(?:y|ies)|ministry|fries|press|channel",
    ),
    Rule(
        "leadership",
        "those in charge",
        "senior|executive|company|our|the|client",
        "teams?|groups?|positions?|council|and staff",
    ),
    Rule("communication", "of machines", "data|network", "protocols?|devices?"),
    Rule("presentation", "a layer", after="layers?|tier"),
    Rule(
        "diversity|diversity and inclusion|diversity & inclusion|eeo|eeoc|"
        "equal employment opportunity",
        "the statement at the foot of a posting",
        "(?:values?|celebrates?|embraces?|promotes?|supports?|committed to|an|to|provide)",
        "at|employer|statement|is|policy|/|for all|and affirmative",
    ),
    Rule(
        "insurance",
        "a benefit",
        "health|dental|vision|medical|disability|pet|including|offer|provide|paid",
        "benefits?|coverage|premiums?|plans?|card|after",
    ),
    Rule("life insurance", "a benefit", "[,/]|offer|provide|paid|and|including"),
    Rule(
        "recruitment|recruiting|hiring|staffing",
        "the employer's own",
        "our|this|the|now|we are|is|actively|currently|immediately",
        "process|agency|agencies|managers?|firms?|events?|now|immediately",
    ),
    Rule(
        "production",
        "where software runs",
        "in|to|into|our|the|a",
        "environments?|systems?|ready|level|data|code|issues?|servers?|incidents?|workloads?",
    ),
    Rule("transportation", "how to get there", "public|reliable|own|your", "is|allowance"),
    Rule(
        "drive|driven",
        "to move, moved by",
        r"(?:data|test|event|domain|mission|value|behaviou?r|google|hard|disk|flash|to|will)",
        "by|the|an?|our|results|growth|change|business|innovation|development|to|and implement|"
        "continuous|sales|revenue",
    ),
    Rule("writing", "what a letter does", "am|i m", "to|in response"),
    Rule("acting", "being", "while|is|are", "as|in|like|on|director|manager"),
    Rule("filing", "claims, furniture", "tax|patent", "an?|for|cabinets?"),
    Rule("cloud", "a picture, points", "word|tag|point"),
    Rule("responsible|responsibility|ownership|accountable", "a task", after="for|of|to|:"),
    Rule("independent", "of somebody", after="of|from|contractors?|reviews?|consultants?|research"),
    Rule(
        "security", "of people, of income", "social|job|national|food|financial", "deposit|number"
    ),
)

#: What may stand between the items of a list, at most this many marks between two of them.
LIST_MARKS = frozenset(
    {",", "/", ";", "|", "•", "·", "▪", "●", "◦", "*", "&", "and", "or", "(", ")", "-", ":", "+"}
)
MAX_LIST_MARKS = 2

#: Words that follow a name at the start of a sentence, and hardly a verb or an adjective.
FOLLOWS_NOUNS = frozenset(["and", "or", "is", "are", "would", "required", "preferred", "desired"])

#: Whose company vouches for a doubtful spelling of each category.
COMPANY: dict[Category, frozenset[Category]] = {
    "tool": frozenset({"tool", "hard"}),
    "hard": frozenset({"tool", "hard"}),
    "language": frozenset({"language"}),
    "soft": frozenset({"soft"}),
    "certification": frozenset({"certification", "tool", "hard"}),
}

#: Function words: in another case than the table's they are never the skill.
NEVER_FOLDED = frozenset({"it", "is", "as", "or", "us", "am", "so", "be", "do", "an", "in", "on"})

#: Words before a hit among which a cue is looked for.
CUE_WORDS = 6
_CUES = (
    r"(?:experience[ds]?|proficien\w+|knowledge|skills?|skilled|familiar\w*|expert\w*|fluen\w+|"
    r"competen\w+|background|certified|certification|using|understanding|programming|coding|"
    r"programmed|written|scripting|tools?|software|languages?|frameworks?|technologies|stack :|"
    r"trained|training|developers?|engineers?|development|developed|master\w*|literate|libraries|"
    r"abilit(?:y|ies)|qualities|strengths?|competencies|traits)"
)
_BETWEEN = (
    r"such as|like|include|including|are|in|with|of|using|on|the|[:(.,]|advanced|ms|"
    r"microsoft|basic|intermediate|strong|both|either|apache|e g"
)
#: The words before a hit, a space after each, end with a cue like this.
CUE_BEFORE = rf"{_CUES}(?: (?:{_BETWEEN}))* "
#: The word after a hit, with a space, is a cue.
CUE_AFTER = (
    r"(?:programming|developers?|development|engineers?|language|scripts?|scripting|frameworks?|"
    r"experience|skills?|certified|certification|proficiency|administrators?|codebase|knowledge|"
    r"macros|formulas|consultants?|specialist|libraries|packages|abilities|mindset|attitude) "
)
#: Before a spelling in its own case, one small word is cue enough: "models in R".
SMALL_CUES = frozenset({"in", "using", "with", "via", "write"})

_CUE_BEFORE = re.compile(f"{CUE_BEFORE}$")
# The last word of what that matches.
_CUE_END = re.compile(rf"{_CUES}$|^(?:{_BETWEEN}|as|g)$")
_CUE_AFTER = re.compile(CUE_AFTER)


def has_rules(spelling: str) -> bool:
    """Return whether any rule is about ``spelling``."""
    return spelling in RULES_OF


def is_false_friend(spelling: str, words: Sequence[str], first: int, last: int) -> bool:
    """Return whether a rule says that ``words[first:last]`` does not mean the skill."""
    rules = RULES_OF.get(spelling)
    if rules is None:
        return False
    before = f" {_joined(words[max(0, first - WORDS_BEFORE) : first])}"
    after = _joined(words[last : last + WORDS_AFTER])
    return any(
        left.search(before) or (right.match(after) and not unless.match(after))
        for left, right, unless in map(_COMPILED.__getitem__, rules)
    )


def has_cue(words: Sequence[str], first: int, last: int, *, own_case: bool) -> bool:
    """Return whether the words around ``words[first:last]`` announce a skill.

    Parameters
    ----------
    own_case : bool
        It is written in the case of the table, so that a smaller cue will do.
    """
    start = max(0, first - CUE_WORDS)
    near = first - 1
    while near >= start and words[near] == PARAGRAPH:
        near -= 1
    if near >= start:
        if own_case and words[near] in SMALL_CUES:
            return True
        # Looking for a cue costs more than all the rest.
        if _may_end_cue(words[near]) and _CUE_BEFORE.search(f" {_joined(words[start:first])}"):
            return True
    return last < len(words) and _is_cue_after(words[last])


@lru_cache(maxsize=1 << 14)
def _may_end_cue(word: str) -> bool:
    """Return whether a cue can end with ``word``."""
    return _CUE_END.search(word) is not None


@lru_cache(maxsize=1 << 14)
def _is_cue_after(word: str) -> bool:
    return _CUE_AFTER.match(f"{word} ") is not None


def _joined(words: Sequence[str]) -> str:
    """Return the words with a space after each; paragraphs do not look into one another."""
    return "".join([f"{word} " for word in words if word != PARAGRAPH])


_Patterns = tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]

_NEVER = "(?!)"


def _compiled(rule: Rule) -> _Patterns:
    before, after, unless = (pattern or _NEVER for pattern in patterns_of(rule))
    return re.compile(f"{before}$"), re.compile(after), re.compile(unless)


def patterns_of(rule: Rule) -> tuple[str, str, str]:
    """Return patterns of all that precedes and follows, with the spaces; empty where it has none.

    What precedes has a space before each word, and one at the end.
    """
    return (
        f" (?:{rule.before}) " if rule.before else "",
        f"(?:{rule.after}) " if rule.after else "",
        f"(?:{rule.unless}) " if rule.unless else "",
    )


#: The rules about each spelling that has any, by their places in ``RULES``.
RULES_OF: dict[str, list[int]] = {}
for _number, _rule in enumerate(RULES):
    for _spelling in _rule.spellings.split("|"):
        RULES_OF.setdefault(_spelling, []).append(_number)
_COMPILED = [_compiled(rule) for rule in RULES]
