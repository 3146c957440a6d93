"""How the bundles of each kind are stored and loaded, importing only what that kind needs."""

from typing import Any

from models.bundle import ModelFormat
from models.manifest import Kind


def format_of(kind: Kind) -> ModelFormat[Any]:
    """Return the format of one kind's bundles: of text models, as scikit-learn pipelines."""
    if kind == "skills":
        from models.skill_model import SKILLS

        return SKILLS
    if kind == "matching":
        from models.matching import MATCHING

        return MATCHING
    from models.text_model import text_format

    return text_format(kind)
