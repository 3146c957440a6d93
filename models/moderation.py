"""Moderator: raw messages to verdicts, from one spam and one toxicity bundle."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from models.bundle import Bundle
from models.language import Language, languages_of
from models.manifest import Kind, Thresholds
from models.spans import Span, heaviest_words
from models.text_scorers import Scorer, TextModel, open_scorer
from models.traits import Traits, traits_of

Action = Literal["allow", "review", "block"]

#: The models as the scorer numbers them.
_KINDS: tuple[Kind, Kind] = ("spam", "toxicity")
_TOXICITY = _KINDS.index("toxicity")

#: Characters from which a message that the models cannot read is shown to somebody who may.
UNREAD_CHARS = 40


@dataclass(frozen=True)
class SpamVerdict:
    """The spam side of a verdict; ``flagged`` means at or above the review threshold."""

    score: float
    threshold: float
    flagged: bool
    version: str
    digest: str


@dataclass(frozen=True)
class ToxicityVerdict(SpamVerdict):
    """The toxicity side: the same, with each category's score and the words that carried it."""

    categories: dict[str, float]
    spans: list[Span]


@dataclass(frozen=True)
class Reasons(SpamVerdict):
    """One model's score and what it is made of.

    Attributes
    ----------
    words : list of Span
        Those that carry the most, for (above 0) or against, in the order of the text.
    base : float
        What is none of theirs: with their weights it adds up to the logit of the score.
    """

    words: list[Span]
    base: float


@dataclass(frozen=True)
class Explanation:
    """Why both models score one message as they do, flagged or not."""

    spam: Reasons
    toxicity: Reasons

    def as_dict(self) -> dict[str, Any]:
        """Return it as the HTTP API shows it, without the request id."""
        return asdict(self)


@dataclass(frozen=True)
class Verdict:
    """What to do with one message, and why.

    ``action`` is the worst of both models. In a language that they did not learn nothing is
    blocked, and what is longer than a greeting is for review.
    """

    action: Action
    language: Language
    spam: SpamVerdict
    toxicity: ToxicityVerdict

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as the HTTP API shows it, without the request id."""
        return asdict(self)


@dataclass(frozen=True)
class ServedModel:
    """A loaded bundle under the version it was released as.

    Attributes
    ----------
    bundle : Bundle
    version : str
        The hub's tag, such as ``v3``.
    thresholds : Thresholds
        The bundle's, or the operator's.
    """

    bundle: Bundle[TextModel]
    version: str
    thresholds: Thresholds

    @cached_property
    def scorer(self) -> Scorer:
        """What scores texts with this model alone."""
        return open_scorer([self.bundle.model])

    def action(self, score: float) -> Action:
        """Return what this model alone would do with a message of this score."""
        if score >= self.thresholds.block:
            return "block"
        return "review" if score >= self.thresholds.review else "allow"


class Moderator:
    """Scores messages with both models.

    Parameters
    ----------
    spam, toxicity : ServedModel
        Of the kinds their names say.
    """

    def __init__(self, spam: ServedModel, toxicity: ServedModel) -> None:
        self.spam = spam
        self.toxicity = toxicity
        self._scorer = open_scorer([spam.bundle.model, toxicity.bundle.model])
        languages_of([""])  # what it needs is loaded now, and not while somebody waits

    def moderate(self, texts: Sequence[str]) -> list[Verdict]:
        """Return the verdict on each text, in order."""
        if not texts:
            return []
        spam, toxicity = (scores.tolist() for scores in self._scorer.scores(texts))
        return [
            self._verdict(text, language, score, heads)
            for text, language, [score], heads in zip(
                texts, languages_of(texts), spam, toxicity, strict=True
            )
        ]

    def explain(self, text: str) -> Explanation:
        """Return the exact part that each word of a raw text has in either score."""
        scores = [float(heads[0, 0]) for heads in self._scorer.scores([text])]
        return Explanation(
            spam=self._reasons(self.spam, scores, text),
            toxicity=self._reasons(self.toxicity, scores, text),
        )

    def traits(self, kind: Kind, text: str) -> Traits:
        """Return the traits of a raw text as the model of one kind sees it."""
        return traits_of(text, self._scorer.unknown_share(_KINDS.index(kind), text))

    def _reasons(self, model: ServedModel, scores: Sequence[float], text: str) -> Reasons:
        number = _KINDS.index(model.bundle.manifest.kind)
        words = self._scorer.words(number, text)
        shown = heaviest_words(words, text)
        logit = self._scorer.intercept(number) + sum(word.weight for word in words)
        score, threshold = scores[number], model.thresholds.review
        return Reasons(
            score=score,
            threshold=threshold,
            flagged=score >= threshold,
            version=model.version,
            digest=model.bundle.digest,
            words=shown,
            base=logit - sum(word.weight for word in shown),
        )

    def _verdict(
        self, text: str, language: Language, spam: float, toxicity: Sequence[float]
    ) -> Verdict:
        toxic, *categories = toxicity
        _, *names = self.toxicity.bundle.manifest.labels
        flagged = toxic >= self.toxicity.thresholds.review
        action = _worst(self.spam.action(spam), self.toxicity.action(toxic))
        return Verdict(
            action=action if language.supported else _unread(action, text),
            language=language,
            spam=SpamVerdict(
                score=spam,
                threshold=self.spam.thresholds.review,
                flagged=spam >= self.spam.thresholds.review,
                version=self.spam.version,
                digest=self.spam.bundle.digest,
            ),
            toxicity=ToxicityVerdict(
                score=toxic,
                threshold=self.toxicity.thresholds.review,
                flagged=flagged,
                version=self.toxicity.version,
                digest=self.toxicity.bundle.digest,
                categories=dict(zip(names, categories, strict=True)),
                spans=self._scorer.shown(_TOXICITY, text) if flagged else [],
            ),
        )


def _worst(*actions: Action) -> Action:
    order: tuple[Action, ...] = ("allow", "review", "block")
    return max(actions, key=order.index)


def _unread(action: Action, text: str) -> Action:
    """Return what to do where the scores say little."""
    return "allow" if action == "allow" and len(text.strip()) < UNREAD_CHARS else "review"
