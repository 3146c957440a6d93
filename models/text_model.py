"""Text models as bundles: a fitted pipeline in one skops file, checked by its heads' scores."""

from collections.abc import Mapping, Sequence

from sklearn.pipeline import Pipeline

from models import skops_file
from models.bundle import ModelFormat
from models.labels import HEADS
from models.manifest import Kind
from models.scoring import score_texts

MODEL_FILE = "model.skops"


def text_format(kind: Kind) -> ModelFormat[Pipeline]:
    """Return the format of the text models of one kind, ``spam`` or ``toxicity``."""
    heads = HEADS[kind]

    def answer(model: Pipeline, texts: Sequence[str]) -> list[dict[str, float]]:
        return [
            {head: float(score) for head, score in zip(heads, row, strict=True)}
            for row in score_texts(model, texts)
        ]

    return ModelFormat(
        kind=kind,
        dump=_dump,
        load=_load,
        answer=answer,
        files=(MODEL_FILE,),
        labels=heads,
        text_model=True,
    )


def _dump(model: Pipeline) -> dict[str, bytes]:
    return {MODEL_FILE: skops_file.dumps(model)}


def _load(contents: Mapping[str, bytes], place: str) -> Pipeline:
    return skops_file.loads(contents[MODEL_FILE], f"{place}/{MODEL_FILE}")
