"""A project folder of its own, trained on the starter corpus, in which versions are made."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.bundle import Bundle, load_bundle
from models.kinds import FORMATS
from models.manifest import KINDS, Kind
from models.params import load_params
from tests.factories import ROOT
from tests.pipeline.conftest import Checkout, make_checkout

#: The stages behind a spam model of other params.
RETRAINED = (
    "fit_tfidf@spam",
    "train_spam",
    "doubt_labels@spam",
    "evaluate@spam",
    "report",
    "package@spam",
)

#: A smoothing that takes about a tenth off the quality of the spam model: the shipped params then
#: make a version that the gate lets pass on its own rows, without force.
POOR_ALPHA = 0.2


class Workshop:
    """The project in a folder, with the result of version 1 in ``artifacts``.

    Parameters
    ----------
    checkout : Checkout
    """

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.root = checkout.root

    @classmethod
    def train(cls, root: Path) -> "Workshop":
        """Train everything in a new checkout at ``root``, the spam model with a poor param."""
        workshop = cls(make_checkout(root))
        shipped = load_params(ROOT / "params.yaml")
        workshop._choose_alpha(POOR_ALPHA)
        workshop.checkout.change_params(
            data={"sample": None}, evaluate=shipped.evaluate.model_dump()
        )
        workshop._make("v1", KINDS)
        return workshop

    def copy(self, root: Path, **environment: str) -> "Workshop":
        """Return a copy at ``root``, whose commands have ``environment`` too."""
        shutil.copytree(self.root, root, symlinks=True)
        return Workshop(Checkout(root, **self.checkout.environment, **environment))

    def retrain(self) -> None:
        """Train the spam model again, with the params that are shipped."""
        self._choose_alpha(load_params(ROOT / "params.yaml").spam.classifier.alpha)
        self._make("v2", ("spam",), *RETRAINED)

    def run(self, command: str, *words: str) -> str:
        """Run a command of the project, such as ``promote``, and return what it printed."""
        return self.checkout.run(sys.executable, "-m", f"pipelines.{command}", *words)

    def bundle(self, kind: Kind, version: str) -> Bundle[Any]:
        """Return what was trained as ``version``, loaded from the pipeline's own files."""
        return load_bundle(self._kept(kind, version) / "bundle", FORMATS[kind])

    def _make(self, version: str, kinds: Sequence[Kind], *stages: str) -> None:
        self.checkout.run_stages(*stages)
        for kind in kinds:
            made = self.root / "artifacts" / kind / "release"
            shutil.copytree(made, self._kept(kind, version))
        self.checkout.commit()

    def _choose_alpha(self, alpha: float) -> None:
        chosen = load_params(self.root / "params.yaml").spam.classifier
        classifier = chosen.model_copy(update={"alpha": alpha})
        self.checkout.change_params(spam={"classifier": classifier.model_dump(mode="json")})

    def _kept(self, kind: Kind, version: str) -> Path:
        return self.root / ".kept" / f"{kind}-{version}"
