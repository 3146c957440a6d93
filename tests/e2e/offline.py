"""What the pipelines answer without the service: what its answers are held against."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from models.bundle import Bundle
from models.manifest import Kind
from models.moderation import Moderator, ServedModel
from serving.assessment import Assessor
from tests.e2e.crowd import Asked

#: Every version by its name, such as ``v1``, of every kind.
Versions = Mapping[Kind, Mapping[str, Bundle[Any]]]


class Offline:
    """The answers of every version to every text, computed when first asked for.

    Parameters
    ----------
    versions : mapping of str to mapping of str to Bundle
        By kind and version.
    texts : sequence of str
    """

    def __init__(self, versions: Versions, texts: Sequence[str]) -> None:
        self._versions = versions
        self._texts = texts
        self._verdicts: dict[tuple[str, str], list[Any]] = {}
        self._skills: dict[tuple[str, int], Any] = {}

    def fault(self, asked: Asked) -> str | None:
        """Return what is wrong with an answer, None if it is what the pipelines say."""
        answer = json.loads(asked.body)
        if asked.path == "/models":
            return self._fault_of_models(answer["models"])
        answer.pop("request_id")
        if asked.path == "/skills/extract":
            [number] = asked.texts
            return _difference(answer, self._extracted(answer["models"], number))
        verdicts = answer["results"] if asked.path == "/moderate/batch" else [answer]
        if len(verdicts) != len(asked.texts):
            return f"{len(verdicts)} verdicts on {len(asked.texts)} texts"
        faults = (
            _difference(verdict, self._verdict(verdict, number))
            for verdict, number in zip(verdicts, asked.texts, strict=True)
        )
        return next((fault for fault in faults if fault), None)

    def _fault_of_models(self, models: Sequence[Mapping[str, Any]]) -> str | None:
        shown = {model["kind"]: (model["version"], model["digest"]) for model in models}
        for kind, versions in self._versions.items():
            if shown[kind] not in {(name, each.digest) for name, each in versions.items()}:
                return f"{kind} is shown as {shown[kind]}"
        return None

    def _verdict(self, verdict: Mapping[str, Any], number: int) -> Any:
        named = verdict["spam"]["version"], verdict["toxicity"]["version"]
        if named not in self._verdicts:
            spam, toxicity = self._served("spam", named[0]), self._served("toxicity", named[1])
            verdicts = [each.as_dict() for each in Moderator(spam, toxicity).moderate(self._texts)]
            self._verdicts[named] = json.loads(json.dumps(verdicts))
        return self._verdicts[named][number]

    def _served(self, kind: Kind, version: str) -> ServedModel:
        bundle = self._versions[kind][version]
        assert bundle.manifest.thresholds is not None
        return ServedModel(bundle, version, bundle.manifest.thresholds)

    def _extracted(self, models: Mapping[str, Mapping[str, str]], number: int) -> Any:
        version = models["skills"]["version"]
        bundle = self._versions["skills"][version]
        key = version, number
        if key not in self._skills:
            said = Assessor(bundle.model, date.today()).extracted(self._texts[number])
            named = {"skills": {"version": version, "digest": bundle.digest}}
            self._skills[key] = json.loads(json.dumps(said | {"models": named}))
        return self._skills[key]


def _difference(answer: Mapping[str, Any], expected: Mapping[str, Any]) -> str | None:
    for name in answer.keys() | expected.keys():
        if not _is_same(answer.get(name), expected.get(name)):
            return f"{name} is {answer.get(name)}, offline {expected.get(name)}"
    return None


def _is_same(answer: Any, expected: Any) -> bool:
    """Whether both say the same; compiled code adds up in another order than scikit-learn."""
    if isinstance(answer, float) and isinstance(expected, float):
        return abs(answer - expected) < 1e-9
    if isinstance(answer, Mapping) and isinstance(expected, Mapping):
        return answer.keys() == expected.keys() and all(
            _is_same(answer[name], expected[name]) for name in answer
        )
    if isinstance(answer, list) and isinstance(expected, list):
        return len(answer) == len(expected) and all(map(_is_same, answer, expected))
    return bool(answer == expected)
