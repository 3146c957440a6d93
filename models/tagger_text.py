"""Texts as the tagger sees them: sentences of words with offsets, and spans that people marked.

The corpus that the tagger learns from was published without commas. Its words are therefore read
without them everywhere: a comma only keeps what somebody knows from running on behind it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

Label = Literal["skill", "knowledge"]
LABELS: tuple[Label, ...] = get_args(Label)

#: Longer sentences are cut, so that time and memory stay linear in the text.
MAX_WORDS = 100

# A placeholder of masked corpora, ".net", a word with the joints inside it and the marks that
# belong to it ("CI/CD", "C++", "10,000"), a run of other marks, the end of a line.
_WORD = re.compile(
    r"<[A-Z]+>"
    r"|\.(?:net|NET|Net)\b"
    r"|[^\W_]+(?:(?:[-'’./&@_+:]|(?<=\d),(?=\d{3}))(?=[^\W_])[^\W_]+)*(?:\+{1,2}|#)?"
    r"|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"
    r"|[^\w\s,]+|_+"
)
_LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


class TaggedSpan(NamedTuple):
    """A stretch of raw text, in code points: what somebody does, or what somebody knows."""

    start: int
    end: int
    label: Label


@dataclass(frozen=True)
class TaggedSentence:
    """A sentence of a posting as the SkillSpan corpus has it, with tags B, I and O for each token.

    References
    ----------
    Zhang et al. 2022, "SkillSpan: Hard and soft skill extraction from English job postings".
    """

    posting: str
    tokens: tuple[str, ...]
    skill: tuple[str, ...]
    knowledge: tuple[str, ...]


@dataclass(frozen=True)
class TaggedText:
    """A posting as raw text, one sentence a line, with the spans that people marked."""

    posting: str
    text: str
    spans: tuple[TaggedSpan, ...]

    def places(self, *labels: Label) -> list[tuple[int, int]]:
        """Return the spans of any of ``labels``, each place once, in order."""
        return sorted({(span.start, span.end) for span in self.spans if span.label in labels})


class Sentence(NamedTuple):
    """Words of one line and sentence, and where each stands in the raw text."""

    words: list[str]
    places: list[tuple[int, int]]


def tagged_texts(sentences: Iterable[TaggedSentence]) -> list[TaggedText]:
    """Return the postings of ``sentences``, in order of appearance."""
    postings: dict[str, list[TaggedSentence]] = {}
    for sentence in sentences:
        postings.setdefault(sentence.posting, []).append(sentence)
    return [_joined(posting, lines) for posting, lines in postings.items()]


def split_sentences(text: str) -> Iterator[Sentence]:
    """Yield the sentences of ``text``, of at most ``MAX_WORDS`` words; none is empty."""
    sentence = Sentence([], [])
    for match in _WORD.finditer(text):
        word, place = match[0], match.span()
        if word not in _LINE_ENDS:
            sentence.words.append(word)
            sentence.places.append(place)
            if len(sentence.words) < MAX_WORDS and not _ends_sentence(text, sentence):
                continue
        if sentence.words:
            yield sentence
            sentence = Sentence([], [])
    if sentence.words:
        yield sentence


def tags(sentence: Sentence, places: Sequence[tuple[int, int]]) -> list[str]:
    """Return a tag for each word of ``sentence``, by the ``places`` of spans, in order.

    The first and last word of a span have B and E, those between them I, the word of a span of one
    S, all others O. A word belongs to the span that holds any part of it.
    """
    current = 0
    span_of: list[int | None] = []
    for start, end in sentence.places:
        while current < len(places) and places[current][1] <= start:
            current += 1
        span_of.append(current if current < len(places) and places[current][0] < end else None)
    found: list[str] = []
    for before, here, after in zip([None, *span_of], span_of, [*span_of[1:], None], strict=False):
        if here is None:
            found.append("O")
        else:
            found.append("IEBS"[(here != after) + 2 * (here != before)])
    return found


def _ends_sentence(text: str, sentence: Sentence) -> bool:
    """Return whether a sentence ends at its last word, going by what follows."""
    if sentence.words[-1][0] not in ".!?" or len(sentence.words) < 2:
        return False
    end = sentence.places[-1][1]
    return text[end : end + 1] == " " and not text[end + 1 : end + 2].islower()


def _joined(posting: str, sentences: Sequence[TaggedSentence]) -> TaggedText:
    lines: list[str] = []
    spans: list[TaggedSpan] = []
    start = 0
    for sentence in sentences:
        places: list[tuple[int, int]] = []
        for token in sentence.tokens:
            places.append((start, start + len(token)))
            start += len(token) + 1
        tagged: tuple[tuple[Label, Sequence[str]], ...] = (
            ("skill", sentence.skill),
            ("knowledge", sentence.knowledge),
        )
        spans += [
            TaggedSpan(places[first][0], places[last - 1][1], label)
            for label, row in tagged
            for first, last in _runs(row)
        ]
        lines.append(" ".join(sentence.tokens))
        start += not sentence.tokens
    return TaggedText(posting, "\n".join(lines), tuple(sorted(spans)))


def _runs(row: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield first token and the one after the last of every span in tags of B, I and O."""
    first: int | None = None
    for place, tag in enumerate([*row, "O"]):
        if first is not None and tag != "I":
            yield first, place
            first = None
        if tag == "B":
            first = place
