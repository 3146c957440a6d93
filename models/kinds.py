"""The four kinds of bundle, each with how its models are stored: for whoever handles them all."""

from collections.abc import Mapping
from typing import Any

from models.bundle import ModelFormat
from models.manifest import Kind
from models.matching import MATCHING
from models.skill_model import SKILLS
from models.text_model import text_format

FORMATS: Mapping[Kind, ModelFormat[Any]] = {
    form.kind: form for form in (text_format("spam"), text_format("toxicity"), SKILLS, MATCHING)
}
