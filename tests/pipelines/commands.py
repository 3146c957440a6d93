"""The commands that move champions, each in a process of its own that can be killed at any step."""

import functools
import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Any, TypeVar

import pytest
from huggingface_hub import constants
from mlflow.tracking import MlflowClient

from pipelines import promote, publish, rollback
from tests.factories import ROOT

#: What commands import late, which takes seconds.
_LATE = (
    *("mlflow.artifacts", "mlflow.store.tracking.sqlalchemy_store"),
    *("mlflow.store.model_registry.sqlalchemy_store", "models.hf_hub", "pipelines.sending"),
    *("model_signing.signing", "model_signing.verifying", "sigstore_models.bundle.v1"),
)

MAINS = {"publish": publish.main, "promote": promote.main, "rollback": rollback.main}

#: Whatever a command does that another process may see: a kill comes right before one of them.
STEPS: tuple[tuple[Any, str], ...] = (
    (os, "replace"),
    *(
        (MlflowClient, name)
        for name in (
            *("log_artifact", "set_tag", "set_model_version_tag", "create_run"),
            *("set_terminated", "set_registered_model_alias", "delete_registered_model_alias"),
        )
    ),
)

KILLED = -signal.SIGKILL

_SECONDS = 120.0

# What a developer has set is not for the tests.
_SETTINGS = ("CAREERLENS_", "MLFLOW_TRACKING_URI", "DVC_ROOT")

T = TypeVar("T")


@dataclass(frozen=True)
class Running:
    """A command under way, in ``folder``."""

    process: ForkServerProcess
    output: Path

    def kill(self) -> None:
        """Kill it as ``kill -9`` does."""
        self.process.kill()

    def end(self) -> tuple[int | None, str]:
        """Wait, and return the exit code and what was said."""
        self.process.join(_SECONDS)
        assert self.process.exitcode is not None, self.output.read_text()
        return self.process.exitcode, self.output.read_text(encoding="utf-8")


class Commands:
    """Starts commands, in processes that are forked from one where everything is imported."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, *_LATE])
        self._numbers = itertools.count()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(ROOT))
            ensure_running()

    def start(
        self,
        folder: Path,
        *command: str,
        environment: Mapping[str, str] | None = None,
        first: Callable[[], None] | None = None,
        kill_at: int = 0,
    ) -> Running:
        """Start a command in the project at ``folder``.

        Parameters
        ----------
        first : callable, optional
            What the process calls before the command: a function of a module.
        kill_at : int
            Before which of its steps it kills itself; 0 for none of them.
        """
        output = folder / f"output-{next(self._numbers)}.txt"
        output.touch()
        process = self._context.Process(
            target=_run, args=(folder, command, dict(environment or {}), output, first, kill_at)
        )
        process.start()
        return Running(process, output)

    def run(self, folder: Path, *command: str, **how: Any) -> tuple[int | None, str]:
        """Run a command to its end, however that comes; return its exit code and what it said."""
        return self.start(folder, *command, **how).end()

    def ask(self, question: Callable[[Path], T], folder: Path) -> T:
        """Return what a function of a module answers in a process of its own.

        No store stays open here, where the next test puts another in its place.
        """
        with ProcessPoolExecutor(1, self._context) as pool:
            return pool.submit(_answer, question, folder).result(_SECONDS)


def _answer(question: Callable[[Path], T], folder: Path) -> T:
    _enter(folder, {})
    return question(folder)


def _enter(folder: Path, environment: Mapping[str, str]) -> None:
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith(_SETTINGS)]:
        del os.environ[name]
    os.environ.update(environment)


def _run(
    folder: Path,
    command: tuple[str, ...],
    environment: dict[str, str],
    output: Path,
    first: Callable[[], None] | None,
    kill_at: int,
) -> None:
    _enter(folder, environment)
    if endpoint := environment.get("HF_ENDPOINT"):
        # Read when huggingface_hub was imported, before there was this server.
        constants.HUGGINGFACE_CO_URL_TEMPLATE = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(
            constants.ENDPOINT, endpoint
        )
        constants.ENDPOINT = endpoint
        constants.HF_HUB_DISABLE_XET = True
    said = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    if first is not None:
        first()
    if kill_at:
        _kill_before(kill_at)
    sys.argv = list(command)
    MAINS[command[0]]()


def _kill_before(number: int) -> None:
    """Let this process kill itself before its step of this number."""
    steps = itertools.count(1)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def step(*args: Any, **options: Any) -> Any:
            if next(steps) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **options)

        return step

    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name)))
