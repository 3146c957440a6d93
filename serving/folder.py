"""The folder that the workers of this service share, and nobody else may look into."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

#: Names it to the workers, and so tells them that they are workers.
FOLDER_VARIABLE = "CAREERLENS_METRICS_FOLDER"


def share_folder() -> Path:
    """Make the folder for the workers about to be started, and return it."""
    folder = tempfile.mkdtemp(prefix="careerlens-metrics-")
    os.environ[FOLDER_VARIABLE] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def shared_folder() -> Path | None:
    """Return the folder that all workers of this service share, if it was made."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return None if folder is None else Path(folder)
