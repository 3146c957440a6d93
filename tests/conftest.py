"""Fixtures that several packages' tests share."""

from pathlib import Path

import pytest

import pipelines  # noqa: F401  pins the numeric kernels before numpy is imported
from models.manifest import KINDS, Kind
from tests.factories import make_release


@pytest.fixture(scope="session")
def tiny_bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """Release folders of one small model of each kind; treat them as read-only."""
    root = tmp_path_factory.mktemp("releases")
    for kind in KINDS:
        make_release(root / kind, kind)
    return {kind: root / kind for kind in KINDS}


#: Folders of tests that take minutes.
SLOW = ("pipeline", "e2e", "delivery")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes minutes first, so that no process is left alone with it at the end."""
    place = {folder: number for number, folder in enumerate(SLOW)}
    items.sort(key=lambda item: place.get(item.path.parent.name, len(SLOW)))
