"""Small results in the shape that ``dvc repro`` leaves them: artifacts, splits and params."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from models.manifest import KINDS
from models.params import load_params
from pipelines.kinds import MADE
from pipelines.packaging import params_digest
from tests.factories import ROOT, make_release

PNG = b"\x89PNG\r\n\x1a\n"


@contextmanager
def working_in(root: Path) -> Iterator[None]:
    """Work in ``root`` as a person would, with the default store and hub."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for name in ("DVC_ROOT", "DVC_EXP_NAME", "MLFLOW_TRACKING_URI", "CAREERLENS_HUB"):
            patch.delenv(name, raising=False)
        yield


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def good_metrics(mcc: float = 0.97) -> dict[str, Any]:
    return {
        "corpus": "starter",
        "rows": 40,
        "test_digest": "0" * 64,
        "headline": {"auc": figure(0.99), "mcc": figure(mcc), "recall": figure(0.9)},
        "slices": {
            "length/0-50": {"rows": 21, "auc": figure(0.98)},
            "category/offers & deals": {"rows": 20, "auc": figure(0.97)},
        },
        "evaluation": {},
    }


def make_result(root: Path, *, alpha: float = 0.1, mcc: float = 0.97) -> dict[str, str]:
    """Write a result below ``root`` and return the digests of its bundles.

    Another ``alpha`` changes the spam bundle, another ``mcc`` both.
    """
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.yaml").write_text(re.sub(r"alpha: [\d.]+", f"alpha: {alpha}", text))
    params = load_params(root / "params.yaml")
    digests = {}
    for kind in KINDS:
        folder = root / "artifacts" / kind
        metrics = good_metrics(mcc)
        digests[kind] = make_release(
            folder / "release", kind, metrics=metrics, params=params_digest(kind, params)
        )
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
        (folder / "thresholds.json").write_text('{"review": 0.5, "block": 0.9}', encoding="utf-8")
        for name in ("plots/roc.png", "curves/roc.csv"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(PNG)
        for rows, (place, _) in enumerate(MADE[kind].datasets.values(), start=1):
            path = root / "data" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".parquet":
                pd.DataFrame({"text": [place] * rows}).to_parquet(path)
            else:
                path.write_text("{}\n" * rows, encoding="utf-8")
    (root / "artifacts" / "report.md").write_text("# Report\n", encoding="utf-8")
    return digests
