"""Build the skills model: the taxonomy with the phrases of public sources, and the tagger."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from models.job_terms import FUNCTION_WORDS
from models.params import SkillsParams, load_params
from models.postings import load_postings
from models.skill_forms import fold_phrase
from models.skill_matcher import SkillMatcher
from models.skill_model import SkillModel, dump_skill_model
from models.tagger import TaggedSentence, fit_tagger
from models.taxonomy import Skill, Taxonomy, extended, load_taxonomy
from pipelines.entry import entry_point
from pipelines.sentences import TRAIN, read_sentences
from pipelines.stage import parse_args, read_lines, write_contents

# "Brightspace (learning management systems)" is written without what it is.
_EXPLAINED = re.compile(r"(?<=\S) \([^()]*\)$")

# A word that begins more names than these is the name of a maker.
_MOST_OF_ONE_NAME = 10


def build_skills(
    taxonomy: Taxonomy,
    phrases: Iterable[Mapping[str, Any]],
    sentences: Sequence[TaggedSentence],
    texts: Iterable[str],
    params: SkillsParams,
) -> SkillModel:
    """Return the model that knows ``taxonomy`` and ``phrases`` and has learnt from ``sentences``.

    Parameters
    ----------
    phrases : iterable of dict
        With name, aliases, category and source; only those of ``params.extend_with`` are taken.
    sentences : sequence of TaggedSentence
        Without any there is no tagger.
    texts : iterable of str
        Plain postings, from which the tagger learns which words keep the same company.
    """
    wanted = [phrase for phrase in phrases if phrase["source"] in params.extend_with]
    matcher = SkillMatcher(extended(taxonomy, additions(wanted)))
    tagger = fit_tagger(sentences, matcher, params.tagger, texts) if sentences else None
    return SkillModel(matcher, tagger)


def additions(phrases: Sequence[Mapping[str, Any]]) -> Iterator[Skill]:
    """Yield those of ``phrases`` that make sense as skills in running text.

    Published lists were not made to be searched for: "plan", "Square" and "less" are names in them,
    and so is "After the Deadline". Hence what is one word, or has a function word, counts only in
    company or after a cue, and as another label of something not at all. Left out are

    - names of makers ("Google" beside "Google Docs" and two dozen more), and words that the list
      itself must explain ("Source (digital game creation systems)");
    - traits, for which they have sentences whose other labels are far-fetched ("design" for
      "think creatively"), where the table has the noun;
    - what people do with a language ("write Hungarian"), which is no other skill than the language.
    """
    named = [(_EXPLAINED.sub("", phrase["name"]), phrase) for phrase in phrases]
    firsts = Counter(fold_phrase(name).partition(" ")[0] for name, _ in named)
    for name, phrase in named:
        form = fold_phrase(name)
        is_deed = phrase["category"] == "language" and name[:1].islower()
        is_vague = " " not in form and (firsts[form] > _MOST_OF_ONE_NAME or name != phrase["name"])
        if phrase["category"] == "soft" or is_deed or is_vague or not _is_spelling(name):
            continue
        yield Skill(
            name,
            aliases=tuple(
                label
                for label in phrase["aliases"]
                if _is_spelling(label) and not _is_everyday(label) and label != name
            ),
            weak=(name,) if _is_everyday(name) else (),
            category=phrase["category"],
        )


def _is_spelling(name: str) -> bool:
    # The table of skills separates its lists by semicolons.
    return ";" not in name and any(map(str.isalnum, name))


def _is_everyday(name: str) -> bool:
    words = fold_phrase(name).split()
    return len(words) == 1 or not FUNCTION_WORDS.isdisjoint(words)


@entry_point
def main() -> None:
    """Run the stage.

    The report of validate_jobs is named only so that DVC runs that stage first.
    """
    args = parse_args(
        __doc__,
        inputs=["taxonomy", "phrases", "sentences", "postings", "validated"],
        outputs=["model"],
    )
    model = build_skills(
        load_taxonomy(args.taxonomy),
        read_lines(args.phrases),
        read_sentences(args.sentences, TRAIN),
        [posting.description for posting in load_postings(args.postings) if posting.description],
        load_params().skills,
    )
    write_contents(dump_skill_model(model), args.model)
    print(
        f"skills: {len(model.matcher.taxonomy.skills):,} in the taxonomy, "
        + ("no tagger" if model.tagger is None else "and a tagger")
    )


if __name__ == "__main__":
    main()
