"""The four kinds of bundle, each with how its models are stored: for whoever handles them all."""

from collections.abc import Mapping
from typing import Any

from models.bundle import ModelFormat
from models.formats import format_of
from models.manifest import KINDS, Kind

FORMATS: Mapping[Kind, ModelFormat[Any]] = {kind: format_of(kind) for kind in KINDS}
