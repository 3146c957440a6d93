"""All stages on a few hundred rows of every public source."""

import json
import os
from pathlib import Path

import pytest

from tests.factories import ROOT
from tests.pipeline.conftest import make_checkout

MIRROR = Path(os.environ.get("DATA_MIRROR") or ROOT.parent / "shared" / "datasets")


@pytest.mark.skipif(not MIRROR.is_dir(), reason="the mirror of the public datasets is not here")
def test_a_fixed_sample_of_every_public_source_trains(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "public", DATA_MIRROR=str(MIRROR))
    checkout.change_params(data={"corpus": "public", "sample": 400})
    checkout.run_stages()
    counts = json.loads((checkout.root / "data" / "reports" / "clean.json").read_text())["tables"]
    assert set(counts["spam"]) == {"workplace", "sms_spam_collection", "sms_phishing"}
    assert set(counts["toxicity"]) == {
        "workplace",
        "jigsaw_balanced",
        "wiki_context_toxicity",
        "toxic_spans",
        "tweeteval_offensive",
    }
    summaries = {
        kind: json.loads((checkout.root / "artifacts" / kind / "summary.json").read_text())
        for kind in ("spam", "toxicity")
    }
    assert summaries["spam"]["auc"] > 0.95
    assert summaries["toxicity"]["auc"] > 0.75
    manifest = json.loads(
        (checkout.root / "artifacts/toxicity/release/bundle/manifest.json").read_text()
    )
    assert "research use" in manifest["sources"]["tweeteval_offensive"]["licence"]
