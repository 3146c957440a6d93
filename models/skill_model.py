"""The skills of a text: those of the taxonomy, and phrases that a tagger has learnt to see.

As a bundle of kind ``skills``: the taxonomy as CSV, and the tagger's files where there is one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.bundle import ModelFormat
from models.errors import FormatError, TaxonomyError
from models.skill_matcher import SkillHit, SkillMatcher
from models.tagger import Label, TaggedSpan, Tagger, named
from models.tagger_files import TAGGER_FILES, dump_tagger, load_tagger
from models.taxonomy import Skill, Taxonomy, dump_taxonomy, parse_taxonomy

TAXONOMY_FILE = "taxonomy.csv"


@dataclass(frozen=True)
class Phrase:
    """A stretch of text that asks for or shows a skill, as people would mark it.

    Attributes
    ----------
    label : {"skill", "knowledge"}
        What somebody does, or what somebody knows, as SkillSpan tells them apart.
    name : str or None
        Its canonical name, where the taxonomy has one.

    References
    ----------
    Zhang et al. 2022, "SkillSpan: Hard and soft skill extraction from English job postings".
    """

    start: int
    end: int
    label: Label
    name: str | None


class SkillModel:
    """Finds the skills of a text.

    Parameters
    ----------
    matcher : SkillMatcher
    tagger : Tagger, optional
        Without it the taxonomy alone answers.
    """

    def __init__(self, matcher: SkillMatcher, tagger: Tagger | None = None) -> None:
        self.matcher = matcher
        self.tagger = tagger

    @property
    def taxonomy(self) -> Taxonomy:
        """What is known of skills."""
        return self.matcher.taxonomy

    @property
    def is_prepared(self) -> bool:
        """Whether compiled code finds what the taxonomy knows."""
        return self.matcher.is_prepared

    def warm_up(self) -> None:
        """Have compiled code find what the taxonomy knows, if it was compiled meanwhile."""
        self.matcher.warm_up()

    def extract(self, text: str) -> list[SkillHit]:
        """Return the skills of ``text`` that have a name: stated by first appearance, then implied.

        Where the tagger sees a phrase that the taxonomy names, and the matcher held it for an
        everyday word, the skill counts too.
        """
        if self.tagger is None:
            return self.matcher.extract(text)
        mentions = list(self.matcher.mentions(text))
        covered = _covered(text, mentions)
        mentions += [
            (self.matcher.taxonomy.skills[name], span.start, span.end)
            for span, name in self._named(text)
            if name is not None and not any(covered[span.start : span.end])
        ]
        return self.matcher.hits(sorted(mentions, key=lambda mention: mention[1:]))

    def phrases(self, text: str) -> list[Phrase]:
        """Return the phrases that the tagger marks in ``text``, with or without a name.

        The taxonomy has its say in them already: its matches are among what the tagger looks at.
        """
        if self.tagger is None:
            return []
        return [Phrase(span.start, span.end, span.label, name) for span, name in self._named(text)]

    def _named(self, text: str) -> Iterator[tuple[TaggedSpan, str | None]]:
        assert self.tagger is not None
        spans = self.tagger.tag(text)
        return zip(spans, named(spans, text, self.matcher), strict=True)


def _covered(text: str, mentions: Iterable[tuple[Skill, int, int]]) -> bytearray:
    """Return one byte for each character of ``text``: 1 where a skill is mentioned."""
    covered = bytearray(len(text))
    for _, start, end in mentions:
        covered[start:end] = bytes([1]) * (end - start)
    return covered


def dump_skill_model(model: SkillModel) -> dict[str, bytes]:
    """Return the files of ``model`` by name; equal bytes for equal models."""
    files = {TAXONOMY_FILE: dump_taxonomy(model.matcher.taxonomy)}
    return files if model.tagger is None else files | dump_tagger(model.tagger)


def load_skill_model(contents: Mapping[str, bytes], place: str) -> SkillModel:
    """Return the model in ``contents``, the files that :func:`dump_skill_model` returned.

    Parameters
    ----------
    place : str
        Where the files were read, for errors.

    Raises
    ------
    FormatError
        If a file is missing or cannot be read.
    """
    if TAXONOMY_FILE not in contents:
        raise FormatError(f"{place} has no {TAXONOMY_FILE}")
    try:
        matcher = SkillMatcher(parse_taxonomy(contents[TAXONOMY_FILE], f"{place}/{TAXONOMY_FILE}"))
    except TaxonomyError as error:
        raise FormatError(str(error)) from error
    if not any(name in contents for name in TAGGER_FILES):
        return SkillModel(matcher)
    return SkillModel(matcher, load_tagger(contents, matcher, place))


def _answer(model: SkillModel, texts: Sequence[str]) -> list[dict[str, float]]:
    """Return how often each text names each skill, and the places of phrases."""
    return [
        {hit.name: float(len(hit.spans)) for hit in model.extract(text)}
        | {f"{each.label} {each.start}-{each.end}": 1.0 for each in model.phrases(text)}
        for text in texts
    ]


SKILLS = ModelFormat(
    kind="skills",
    dump=dump_skill_model,
    load=load_skill_model,
    answer=_answer,
    files=(TAXONOMY_FILE,),
)
