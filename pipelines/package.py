"""Package one trained text model as a bundle with its model card."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from models.bundle import Source, Thresholds, save_bundle
from models.params import Params, load_params
from models.skops_file import load_model
from pipelines.card import model_card
from pipelines.code import code_digest
from pipelines.entry import entry_point
from pipelines.stage import parse_args, read_json


def sources_of(model: str, ingested: dict[str, Any]) -> dict[str, Source]:
    """Return the sources the model learnt from, with licence and the hash of each training file.

    Parameters
    ----------
    model : {"spam", "toxicity"}
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
        if source["task"] in (model, "moderation")
    }
    return {
        name: Source(licence=ingested["sources"][name]["licence"], files=files)
        for name, files in learnt.items()
        if files
    }


def params_digest(model: str, params: Params) -> str:
    """Return the sha256 of the params the model depends on, as canonical JSON."""
    section = params.model_section(model).model_dump(mode="json", exclude={"floors"})
    chosen = {
        "data": params.data.model_dump(mode="json"),
        "clean": params.clean.model_dump(mode="json"),
        model: section,
        "evaluate": params.evaluate.model_dump(mode="json"),
    }
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def _files_digest(paths: list[Path]) -> str:
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=[
            "sources",
            "train",
            "validation",
            "test",
            "trained",
            "thresholds",
            "metrics",
            "golden",
        ],
        outputs=["release"],
        per_model=True,
    )
    params = load_params()
    metrics = read_json(args.metrics)
    sources = sources_of(args.model, read_json(args.sources))
    shutil.rmtree(args.release, ignore_errors=True)
    digest = save_bundle(
        args.release / "bundle",
        kind=args.model,
        model=load_model(args.trained),
        metrics=metrics,
        golden=args.golden.read_text(encoding="utf-8").splitlines(),
        thresholds=Thresholds(**read_json(args.thresholds)),
        corpus=params.data.corpus,
        sources=sources,
        data=_files_digest([args.train, args.validation, args.test]),
        params=params_digest(args.model, params),
        code=code_digest(
            ["pipelines.fit_tfidf", f"pipelines.train_{args.model}", "pipelines.package"]
        ),
    )
    card = model_card(args.model, digest, metrics, sources)
    (args.release / "README.md").write_text(card, encoding="utf-8")
    print(f"{args.model}: bundle {digest[:12]}")


if __name__ == "__main__":
    main()
