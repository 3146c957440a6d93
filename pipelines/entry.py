"""How a stage or command ends when something is wrong: one sentence, not a traceback."""

import functools
import sys
from collections.abc import Callable

from models.errors import CareerlensError


def entry_point(main: Callable[[], None]) -> Callable[[], None]:
    """Return ``main`` ending the process with an error's sentence, under the module's name."""

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
        except CareerlensError as error:
            module = sys.modules[main.__module__].__spec__
            name = module.name.rpartition(".")[2] if module else main.__module__
            sys.exit(f"{name}: {error}")

    return run
