"""What runs in the process beside a worker: started by ``serving.workshop``, it ends with it."""

import importlib

from serving.beside_child import serve
from serving.workbench import Workbench


def main() -> None:
    """Load and answer until the worker is gone."""
    importlib.import_module("serving.assessment")  # what the first answer needs
    serve(Workbench(), last=True)
