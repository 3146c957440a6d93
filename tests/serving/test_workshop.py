"""The process beside a worker, for real: how it is asked, ends, and is started anew."""

import asyncio
import contextlib
import functools
import gc
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from models.bundle import load_bundle, verify_bundle
from models.errors import (
    BundleError,
    EmptyDocumentError,
    FormatError,
    GoldenMismatchError,
    HashMismatchError,
)
from models.extract import Document
from models.formats import format_of
from models.manifest import MANIFEST, Kind
from serving import workshop as module
from serving import workshop_process
from serving.beside import EndedError, UnforeseenError
from serving.errors import InvalidInputError, NotReadyError
from serving.job_requests import ExtractRequest
from serving.logs import open_log
from serving.metrics import Metrics
from serving.reports import describe_failure
from serving.schemas import read_request
from serving.scrape import read_processes
from serving.settings import Settings
from serving.workbench import Workbench
from serving.workshop import Lodger, Workshop
from tests.serving.following import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
RESUME = Document("Jane Doe\njane@example.com\nI know Python and Kubernetes.", "text")
CANARY = "canary-7f3a"


def fail_from(cause: Exception) -> None:
    raise GoldenMismatchError("golden.jsonl: the model cannot score its golden rows") from cause


class Place:
    """A workshop, what it logged and counted, and the bundles that it is given."""

    def __init__(self, bundles: dict[str, Path], **settings: Any) -> None:
        self.stream = io.StringIO()
        self.metrics = Metrics()
        self.bundles = bundles
        self.workshop = Workshop(Settings(**settings), self.metrics, open_log("info", self.stream))
        self.workshop.start()
        self.runner = asyncio.Runner()

    def close(self) -> None:
        self.workshop.stop()
        self.runner.run(asyncio.sleep(0))  # the event loop closes its connections
        self.runner.close()

    def load(self, kind: Kind) -> Lodger:
        folder = self.bundles[kind] / "bundle"
        return self.workshop.load(kind, folder, verify_bundle(folder)[1]).model

    def ask(self, method: Callable[..., Any], *given: Any) -> Any:
        return self.runner.run(self.workshop.ask(method, *given))

    def evaluate(self, expression: str) -> Any:
        return self.ask(Workbench.read, functools.partial(eval, expression))

    def process(self) -> psutil.Process:
        wait_until(self.is_open)
        return psutil.Process(self.pid())

    def pid(self) -> int | None:
        process = self.workshop._process
        return None if process is None else process.popen.pid

    def is_open(self) -> bool:
        try:
            self.workshop.check()
        except NotReadyError:
            return False
        return True

    def await_another(self, victim: psutil.Process) -> None:
        """Wait until another process has taken the place of one that ended."""
        wait_until(lambda: self.is_open() and self.pid() not in (None, victim.pid))

    def ends(self) -> float | None:
        return self.metrics.registry.get_sample_value("careerlens_workshop_ends_total")


@pytest.fixture(scope="module")
def place(tiny_bundles: dict[str, Path]) -> Iterator[Place]:
    """A workshop that no test ends."""
    place = Place(tiny_bundles)
    yield place
    place.close()


@pytest.fixture
def own(tiny_bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A workshop of the test's own, whose process is missed for no longer than it takes."""
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0)
    place = Place(tiny_bundles, timeout_seconds=3.0)
    yield place
    place.close()


def test_it_answers_as_its_models_do(place: Place, tiny_bundles: dict[str, Path]) -> None:
    skills, jobs = place.load("skills"), place.load("matching")
    here = Workbench(None)
    for number, kind in ((skills.number, "skills"), (jobs.number, "matching")):
        folder = tiny_bundles[kind] / "bundle"
        here.load(number, kind, folder, verify_bundle(folder)[1], ())  # type: ignore[arg-type]
    models = (skills.number, jobs.number)
    for method, given in (
        (Workbench.parsed, (skills.number, RESUME, True)),
        (Workbench.analyzed, (*models, RESUME, "You know Python and Go.", False)),
        (Workbench.extracted, (skills.number, RESUME.text)),
        (Workbench.compared, (skills.number, RESUME.text, "Python and Go")),
        (Workbench.recommended, (*models, RESUME, 3, {})),
        (Workbench.scored, (*models, RESUME, ["Python", "Nursing"])),
    ):
        assert place.ask(method, *given) == method(here, *given)  # type: ignore[operator]


def test_a_bundle_comes_back_with_all_but_its_model(
    place: Place, tiny_bundles: dict[str, Path]
) -> None:
    folder = tiny_bundles["skills"] / "bundle"
    whole = load_bundle(folder, format_of("skills"))
    found = place.workshop.load("skills", folder, whole.digest)
    assert (found.manifest, found.digest, found.metrics) == (
        whole.manifest,
        whole.digest,
        whole.metrics,
    )


def copy_of(place: Place, folder: Path) -> Path:
    return Path(shutil.copytree(place.bundles["skills"] / "bundle", folder))


def spoil_a_file(bundle: Path) -> None:
    (bundle / "taxonomy.csv").write_bytes(b"spoilt")


def spoil_the_manifest(bundle: Path) -> None:
    (bundle / MANIFEST).write_bytes(b"{}")


@pytest.mark.parametrize(
    ("spoil", "error"),
    [(spoil_a_file, HashMismatchError), (spoil_the_manifest, FormatError)],
)
def test_a_bundle_that_is_refused_is_refused_with_the_same_words(
    place: Place, tmp_path: Path, spoil: Callable[[Path], None], error: type[Exception]
) -> None:
    bundle = copy_of(place, tmp_path / "bundle")
    spoil(bundle)
    digest = hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()
    failures = []
    for load in (
        lambda: load_bundle(bundle, format_of("skills"), digest),
        lambda: place.workshop.load("skills", bundle, digest),
    ):
        with pytest.raises(error) as raised:
            load()
        failures.append(describe_failure(raised.value))
    assert failures[0] == failures[1]
    assert failures[0].final


def test_what_the_machine_lacked_is_told_from_what_the_bundle_lacks(place: Place) -> None:
    def fail(cause: Exception) -> bool:
        with pytest.raises(GoldenMismatchError) as raised:
            place.ask(Workbench.read, functools.partial(fail_from, cause))
        return describe_failure(raised.value).final

    assert [fail(cause) for cause in (MemoryError(), ValueError())] == [False, True]


def test_a_body_that_breaks_a_rule_is_refused_as_it_is_here(place: Place) -> None:
    read = functools.partial(
        read_request, ExtractRequest, b'{"text": ""}', max_document_chars=9, max_job_chars=9
    )
    with pytest.raises(InvalidInputError) as raised:
        place.ask(Workbench.read, read)
    assert (raised.value.code, raised.value.status) == ("empty_text", 400)


def test_of_an_error_that_nobody_foresaw_come_its_name_and_places_and_no_words(
    place: Place,
) -> None:
    with pytest.raises(Exception, match="ValueError") as raised:
        place.evaluate(f"int('{CANARY}')")
    assert describe_failure(raised.value).reason == "unexpected"
    said = " ".join(describe_failure(raised.value).place or ())
    assert "workbench.py" in said
    assert said.endswith("ValueError")
    assert CANARY not in said + str(raised.value)


def test_it_imports_nothing_of_the_worker(own: Place) -> None:
    own.load("skills")
    imported = set(own.evaluate("list(__import__('sys').modules)"))
    heavy = {"bentoml.server", "uvicorn", "starlette", "sqlalchemy", "redis", "httpx", "sklearn"}
    assert imported & (heavy | {"serving.service", "skops", "pipelines"}) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has it")
def test_everything_else_goes_before_it(place: Place) -> None:
    """In the session of its worker: between sessions Linux looks at nothing of the kind."""
    pid = place.process().pid
    wait_until(lambda: os.sched_getscheduler(pid) == os.SCHED_IDLE)
    wait_until(lambda: psutil.Process(pid).num_threads() >= 3)
    _, first, *others = sorted(each.id for each in psutil.Process(pid).threads())
    assert {os.sched_getscheduler(thread) for thread in others} == {os.SCHED_IDLE}
    # What a start waits for comes to an end on a busy machine.
    assert os.sched_getscheduler(first) == os.SCHED_OTHER
    assert os.getpriority(os.PRIO_PROCESS, first) == os.getpriority(os.PRIO_PROCESS, 0) + 10
    assert os.getsid(pid) == os.getsid(0)
    assert os.getpgid(pid) == pid  # what a terminal sends goes to the worker's group


def test_its_memory_is_told_apart_from_that_of_others(place: Place) -> None:
    pid = place.process().pid
    memory = next(iter(read_processes(None)))
    parts = {sample.labels["part"]: sample.value for sample in memory.samples}
    own = psutil.Process(pid).memory_info().rss
    assert parts["workshop"] >= 0.8 * own  # and what other tests have left running
    assert parts["worker"] == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)


def test_an_interrupt_of_the_terminal_is_not_for_it(place: Place) -> None:
    skills = place.load("skills")
    place.process().send_signal(signal.SIGINT)
    assert place.ask(Workbench.extracted, skills.number, "Python")


def test_a_model_that_takes_the_place_of_another_lets_requests_under_way_end(place: Place) -> None:
    before, after = place.load("skills"), place.load("skills")
    place.workshop.tidy()
    for lodger in (before, after):
        assert b"Python" in place.ask(Workbench.extracted, lodger.number, "Python")


def test_a_model_that_nobody_knows_any_more_is_dropped(place: Place) -> None:
    lodgers = [place.load("skills") for _ in range(2)]
    kept, gone = (lodger.number for lodger in lodgers)
    lodgers.pop()
    gc.collect()
    place.workshop.tidy()
    with pytest.raises(NotReadyError):
        place.ask(Workbench.extracted, gone, "Python")
    assert place.ask(Workbench.extracted, kept, "Python")


def test_what_is_loaded_ahead_is_not_loaded_again(place: Place, tmp_path: Path) -> None:
    bundle = copy_of(place, tmp_path / "bundle")
    digest = verify_bundle(bundle)[1]
    place.workshop.load_ahead("skills", bundle, digest)
    place.workshop._loading.submit(int).result()  # which comes after it
    bundle.rename(tmp_path / "away")
    found = place.workshop.load("skills", bundle, digest)
    assert place.ask(Workbench.extracted, found.model.number, "Python")
    with pytest.raises(BundleError):
        place.workshop.load("skills", bundle, digest)


def test_what_is_asked_for_is_loaded_whatever_was_loaded_ahead(
    place: Place, tmp_path: Path
) -> None:
    place.workshop.load_ahead("skills", tmp_path / "nowhere", "0" * 64)
    skills = place.load("skills")
    assert place.ask(Workbench.extracted, skills.number, "Python")


def test_documents_are_read_beside_its_other_work(place: Place) -> None:
    async def ask_while_it_works() -> Document:
        working = asyncio.create_task(
            place.workshop.ask(Workbench.read, functools.partial(time.sleep, 1.0))
        )
        await asyncio.sleep(0)
        document = await place.workshop.read_document(b"Jane Doe", "cv.txt")
        assert not working.done()
        await working
        return document

    place.runner.run(place.workshop.read_document(b"Jane", "cv.txt"))  # once the readers are there
    assert place.runner.run(ask_while_it_works()).text == "Jane Doe"
    with pytest.raises(EmptyDocumentError):
        place.runner.run(place.workshop.read_document(b"", "cv.txt"))


def test_what_nobody_waits_for_any_longer_is_done_before_the_next(place: Place) -> None:
    async def give_up_and_ask() -> float:
        nap = functools.partial(time.sleep, 0.5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(place.workshop.ask(Workbench.read, nap), 0.1)
        started = time.monotonic()
        assert await place.workshop.ask(Workbench.read, functools.partial(int, "7")) == 7
        return time.monotonic() - started

    assert place.runner.run(give_up_and_ask()) > 0.3


def test_an_error_keeps_nothing_of_what_was_sent_until_it_is_collected(place: Place) -> None:
    work = functools.partial(int, "no number")
    sent = weakref.ref(work)
    wait_until(place.is_open)

    async def ask_in_vain(work: Callable[[], object]) -> None:
        with contextlib.suppress(UnforeseenError):
            await place.workshop.ask(Workbench.read, work)

    gc.disable()
    try:
        place.runner.run(ask_in_vain(work))
        del work
        assert sent() is None
    finally:
        gc.enable()


def test_readers_that_cannot_be_started_end_nothing(
    own: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = own.process()
    monkeypatch.setattr(Workbench, "start_readers", Workbench.set_up)  # which wants more arguments
    own.workshop.start_readers()
    wait_until(lambda: "readers not started" in own.stream.getvalue())
    assert own.process() == process
    assert own.runner.run(own.workshop.read_document(b"Jane", "cv.txt")).text == "Jane"


def test_readers_are_started_ahead_of_the_first_document(own: Place) -> None:
    process = own.process()
    assert process.children() == []
    own.workshop.start_readers()
    wait_until(lambda: len(process.children()) == Settings().document_workers)


def test_its_readers_end_with_it(own: Place) -> None:
    process = own.process()
    own.runner.run(own.workshop.read_document(b"Jane", "cv.txt"))
    readers = process.children()
    assert len(readers) == Settings().document_workers
    own.workshop.stop()
    assert not psutil.wait_procs(readers, timeout=30)[1]


def test_loading_holds_up_no_answer(place: Place) -> None:
    skills = place.load("skills")
    assert place.workshop._process is not None
    with place.workshop._process._lock:  # as while a model is loaded
        assert place.ask(Workbench.extracted, skills.number, "Python")


def test_once_it_is_killed_it_comes_back_with_its_models(own: Place) -> None:
    skills = own.load("skills")
    before = own.ask(Workbench.extracted, skills.number, "Python")
    victim = own.process()

    async def kill_it_at_work() -> None:
        asked = asyncio.create_task(
            own.workshop.ask(Workbench.read, functools.partial(time.sleep, 60))
        )
        await asyncio.sleep(0.2)
        victim.kill()
        with pytest.raises(NotReadyError):
            await asyncio.wait_for(asked, 5)

    own.runner.run(kill_it_at_work())
    own.await_another(victim)
    assert own.ask(Workbench.extracted, skills.number, "Python") == before
    assert own.ends() == 1
    assert '"code":-9' in own.stream.getvalue()


def test_without_a_process_nobody_waits(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE", 60)
    own.process().kill()
    wait_until(lambda: not own.is_open())
    started = time.monotonic()
    with pytest.raises(NotReadyError):
        own.ask(Workbench.read, functools.partial(time.sleep, 0))
    assert time.monotonic() - started < 1


def test_one_that_is_stuck_is_ended_and_the_next_request_is_answered(own: Place) -> None:
    skills, victim = own.load("skills"), own.process()
    with pytest.raises(NotReadyError):
        own.ask(Workbench.read, functools.partial(time.sleep, 600))
    own.await_another(victim)
    assert "workshop hangs" in own.stream.getvalue()
    assert own.ask(Workbench.extracted, skills.number, "Python")


def test_one_that_does_not_even_take_the_question_is_ended(own: Place) -> None:
    skills, victim = own.load("skills"), own.process()
    os.kill(victim.pid, signal.SIGSTOP)
    with pytest.raises(NotReadyError):
        own.ask(Workbench.extracted, skills.number, "Python " * 200_000)
    own.await_another(victim)
    assert own.ask(Workbench.extracted, skills.number, "Python")


def test_a_model_that_the_next_process_cannot_load_is_tried_again(
    own: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.2)
    bundle = copy_of(own, tmp_path / "bundle")
    skills = own.workshop.load("skills", bundle, verify_bundle(bundle)[1]).model
    bundle.rename(tmp_path / "away")
    victim = own.process()
    victim.kill()
    wait_until(lambda: "model not loaded again" in own.stream.getvalue())
    own.await_another(victim)
    with pytest.raises(NotReadyError):
        own.ask(Workbench.extracted, skills.number, "Python")
    (tmp_path / "away").rename(bundle)

    def answers() -> bool:
        try:
            return bool(own.ask(Workbench.extracted, skills.number, "Python"))
        except NotReadyError:
            return False

    wait_until(answers)


def test_a_process_that_ends_while_a_model_is_loaded_is_no_fault_of_the_bundle(
    own: Place,
) -> None:
    victim = own.process()
    victim.suspend()
    threading.Timer(0.5, victim.kill).start()
    with pytest.raises(EndedError) as raised:
        own.load("skills")
    assert not describe_failure(raised.value).final
    own.await_another(victim)
    assert own.load("skills")


def test_one_that_was_begun_ahead_is_taken() -> None:
    workshop_process.begin()
    begun, another = workshop_process.take(), workshop_process.take()
    try:
        assert begun.popen.poll() is None
        assert begun.popen.pid < another.popen.pid
    finally:
        begun.close()
        another.close()


def test_it_ends_when_it_is_told_to(tiny_bundles: dict[str, Path]) -> None:
    place = Place(tiny_bundles)
    process = place.process()
    place.workshop.stop()
    assert not psutil.wait_procs([process], timeout=30)[1]
    assert place.ends() == 0
    with pytest.raises(NotReadyError):
        place.ask(Workbench.read, functools.partial(time.sleep, 0))
    place.close()


def test_told_to_end_while_it_starts_it_keeps_nobody_waiting(
    tiny_bundles: dict[str, Path],
) -> None:
    workshop = Workshop(Settings(), Metrics(), open_log("info", io.StringIO()))
    folder = tiny_bundles["skills"] / "bundle"
    workshop.start()
    wait_until(lambda: workshop._begun is not None)
    assert workshop._begun is not None
    process = psutil.Process(workshop._begun.popen.pid)
    process.suspend()  # as where others keep the processors busy
    with ThreadPoolExecutor(1) as follower:
        loading = follower.submit(workshop.load, "skills", folder, verify_bundle(folder)[1])
        workshop.stop()
        with pytest.raises(EndedError):
            loading.result(30)
    assert not psutil.wait_procs([process], timeout=30)[1]


def test_it_ends_with_its_worker_however_that_ends() -> None:
    program = """
import time
import weakref
from serving.logs import open_log
from serving.metrics import Metrics
from serving.scrape import read_processes
from serving.settings import Settings
from serving.workshop import Workshop
workshop = Workshop(Settings(), Metrics(), open_log("info"))
workshop.start()
while not workshop._is_open:
    time.sleep(0.01)
print(workshop._process.popen.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        process = psutil.Process(int(worker.stdout.readline()))
        worker.kill()
    assert not psutil.wait_procs([process], timeout=30)[1]
