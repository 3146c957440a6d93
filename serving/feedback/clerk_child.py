"""What runs in the process that talks to the feedback database: it ends with its worker."""

import importlib

from serving.beside_child import serve
from serving.feedback.clerk import Clerk


def main() -> None:
    """Work until the worker is gone."""
    for name in ("database", "recording", "store"):  # what the first piece of work needs
        importlib.import_module(f"serving.feedback.{name}")
    serve(Clerk(), last=False)
