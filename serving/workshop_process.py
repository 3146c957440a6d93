"""The process of ``serving.workshop``: started before it is asked for.

What is imported here is little: see ``serving.beside``.
"""

from serving.beside import Process

_MODULE = "serving.workshop_child"
_begun: list[Process] = []


def begin() -> None:
    """Start a process that :func:`take` returns later: it has imported most of its own by then."""
    _begun.append(Process(_MODULE))


def take() -> Process:
    """Return a process that nobody has yet."""
    return _begun.pop() if _begun else Process(_MODULE)
