"""The stages that clean, run on a corpus as DVC runs them."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.ingest import ingest
from pipelines.sources import choose_sources, load_catalogue, write_index
from pipelines.stage import read_json
from tests.factories import ROOT

#: Where the public corpus is, if it is here.
MIRROR = Path(os.environ.get("DATA_MIRROR") or ROOT.parent / "shared" / "datasets").resolve()


def run_stage(
    main: Callable[[], None],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    corpus: str,
    tables: Mapping[str, str],
    sample: int | None = None,
) -> dict[str, Any]:
    """Bring ``corpus`` to ``folder``/raw, run a stage there, and return its report.

    Parameters
    ----------
    main : callable
        The stage.
    tables : mapping of str to str
        The file of each table that it writes, by the name of its argument.
    """
    folder.mkdir(exist_ok=True)
    catalogue = load_catalogue(ROOT / "data" / "sources.yaml")
    choice = choose_sources(catalogue, corpus, [])  # type: ignore[arg-type]
    mirror = MIRROR if corpus == "public" else None
    origins = {"starter": ROOT / "data" / "starter"}
    index = ingest(catalogue, choice, origins, folder / "raw", mirror)
    write_index(index, folder / "raw")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("corpus: starter", f"corpus: {corpus}")
    text = text.replace("sample: null", f"sample: {sample or 'null'}")
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    (folder / "validate_raw.json").write_text("{}")
    monkeypatch.chdir(folder)
    arguments = ["--raw", "raw", "--validated", "validate_raw.json", "--report", "counts.json"]
    for table, file in tables.items():
        arguments += [f"--{table}", file]
    monkeypatch.setattr("sys.argv", ["stage", *arguments])
    main()
    found: dict[str, Any] = read_json(folder / "counts.json")
    return found
