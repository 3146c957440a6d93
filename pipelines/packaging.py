"""What the packaging stages share: a trained model becomes a bundle with its model card."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from models.bundle import ModelFormat, save_bundle
from models.manifest import Kind, Source, Thresholds
from models.params import Params
from pipelines.card import model_card
from pipelines.code import below, code_digest
from pipelines.kinds import MADE

M = TypeVar("M")


@dataclass(frozen=True)
class Origin:
    """What a model was made of.

    Attributes
    ----------
    sources : dict of str to Source
    tables : sequence of Path
        Every file of rows it learnt from, was tuned on or scored on.
    """

    sources: Mapping[str, Source]
    tables: Sequence[Path]


def package(
    folder: Path,
    form: ModelFormat[M],
    model: M,
    metrics: Mapping[str, Any],
    golden: Path,
    origin: Origin,
    params: Params,
    thresholds: Thresholds | None = None,
    reference: Mapping[str, Any] | None = None,
) -> None:
    """Write the release of ``model`` into ``folder`` anew: ``bundle/`` and ``README.md``.

    Parameters
    ----------
    golden : Path
        One input a line, of our own writing.
    reference : dict, optional
        What the traffic of a text model will be compared with.
    """
    shutil.rmtree(folder, ignore_errors=True)
    digest = save_bundle(
        folder / "bundle",
        form,
        model=model,
        metrics=metrics,
        golden=golden.read_text(encoding="utf-8").splitlines(),
        thresholds=thresholds,
        reference=reference,
        corpus=params.data.corpus,
        sources=origin.sources,
        data=files_digest(origin.tables),
        params=params_digest(form.kind, params),
        code=code_digest(MADE[form.kind].modules, below(Path())),
    )
    card = model_card(form.kind, digest, metrics, origin.sources)
    (folder / "README.md").write_text(card, encoding="utf-8")
    print(f"{form.kind}: bundle {digest[:12]}")


def sources_of(kind: Kind, ingested: Mapping[str, Any]) -> dict[str, Source]:
    """Return the sources a kind learns from, with licence and the hash of each training file.

    Parameters
    ----------
    ingested : dict
        The content of ``data/raw/sources.json``.
    """
    learnt = {
        name: {
            file: facts["sha256"]
            for file, facts in source["files"].items()
            if facts["role"] == "train"
        }
        for name, source in ingested["sources"].items()
        if source["task"] in MADE[kind].tasks
    }
    return {
        name: Source(licence=ingested["sources"][name]["licence"], files=files)
        for name, files in learnt.items()
        if files
    }


def params_digest(kind: Kind, params: Params) -> str:
    """Return the sha256 of the params the model depends on, as canonical JSON."""
    chosen = chosen_params(kind, params)
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def chosen_params(kind: Kind, params: Params) -> dict[str, Any]:
    """Return the params the model depends on; floors judge it and shape nothing."""
    return {
        name: {key: value for key, value in section.items() if key != "floors"}
        for name, section in params.model_dump(mode="json", include=set(MADE[kind].params)).items()
    }


def files_digest(paths: Sequence[Path]) -> str:
    """Return the sha256 over the contents of ``paths``, in order."""
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
