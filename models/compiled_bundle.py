"""Bundles of text models loaded as their compiled form: without scikit-learn and skops."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.bundle import Bundle, ModelFormat, load_bundle
from models.compiled import CompiledModel, read_model
from models.errors import GoldenMismatchError, NotCompilableError
from models.formats import format_of
from models.labels import HEADS
from models.manifest import Kind
from models.native_cache import is_compiled
from models.text_scorers import TextModel, open_scorer

MODEL_FILE = "model.skops"

_LOG = logging.getLogger(__name__)


def load_text_bundle(folder: Path, kind: Kind, digest: str | None = None) -> Bundle[TextModel]:
    """Return a text model's bundle in the form that answers fastest of those that answer rightly.

    That is its compiled form where the kernels are compiled already, if they know all of it and
    give the golden rows the scores that were recorded. It is scikit-learn's pipeline otherwise.

    Raises
    ------
    BundleError
        As :func:`models.bundle.load_bundle` does.
    """
    if is_compiled():
        try:
            return load_bundle(folder, compiled_format(kind), digest)
        except (NotCompilableError, GoldenMismatchError) as error:
            _LOG.warning("%s is scored by scikit-learn: %s", kind, error)
    return load_bundle(folder, format_of(kind), digest)


def compiled_format(kind: Kind) -> ModelFormat[CompiledModel]:
    """Return how the bundles of one kind, ``spam`` or ``toxicity``, load as compiled models.

    The golden rows, which scikit-learn's scores were recorded of, are what shows that the compiled
    form answers alike. Nothing is saved in this form.
    """
    heads = HEADS[kind]

    def answer(model: CompiledModel, texts: Sequence[str]) -> list[dict[str, float]]:
        [scores] = open_scorer([model]).scores(texts)
        return [dict(zip(heads, row, strict=True)) for row in scores.tolist()]

    return ModelFormat(
        kind=kind,
        dump=_dump,
        load=_load,
        answer=answer,
        files=(MODEL_FILE,),
        labels=heads,
        text_model=True,
    )


def _dump(_: CompiledModel) -> Mapping[str, bytes]:
    raise NotImplementedError("a bundle holds the pipeline, and never its compiled form")


def _load(contents: Mapping[str, bytes], place: str) -> CompiledModel:
    return read_model(contents[MODEL_FILE], f"{place}/{MODEL_FILE}")
