"""Hostile documents: a clear error each, within the limits, while others are answered."""

import io
import os
import signal
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models import errors
from models.documents import Document, DocumentReader, Limits
from models.sandbox import let_others_first
from tests import documents as build

MEGABYTE = 1_000_000
GOOD = build.simple_pdf(["Jane Doe", "Engineer", "Python and SQL"])
GOOD_TEXT = "Jane Doe\nEngineer\nPython and SQL"
DOCX = build.word(lambda document: document.add_paragraph("Jane Doe"))
BODY = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
DOCTYPE = b'<!DOCTYPE w:document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
SECRET = "hush"


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader(Limits(seconds=10.0)) as reader:
        yield reader


def changed(changes: dict[str, bytes | None]) -> bytes:
    return build.repacked(DOCX, changes)


def twice(name: str) -> bytes:
    file = io.BytesIO(DOCX)
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(name, b"<w:document/>")
    return file.getvalue()


def stored(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", content)
    return file.getvalue()


HOSTILE: dict[str, tuple[Callable[[], bytes], type[errors.DocumentError], str]] = {
    "empty": (lambda: b"", errors.EmptyDocumentError, "empty"),
    "white space": (lambda: b" \r\n" * 99, errors.EmptyDocumentError, "empty"),
    "blank PDF": (lambda: build.pdf(lambda page: page), errors.EmptyDocumentError, "blank"),
    "blank DOCX": (lambda: build.word(lambda d: d), errors.EmptyDocumentError, "no text"),
    "too many bytes": (lambda: b"x" * 5_300_000, errors.TooLargeError, "5242880"),
    "image-only PDF": (build.picture_pdf, errors.NoTextError, "scan"),
    "truncated PDF": (lambda: GOOD[:-600], errors.CorruptError, "cut off"),
    "truncated DOCX": (lambda: DOCX[:-600], errors.CorruptError, "cut off"),
    "PDF of noise": (
        lambda: b"%PDF-1.4\n" + os.urandom(9_999) + b"startxref\n9\n%%EOF",
        errors.CorruptError,
        "damaged",
    ),
    "DOCX of noise": (
        lambda: changed({"word/document.xml": os.urandom(9_999)}),
        errors.CorruptError,
        "damaged",
    ),
    "noise": (lambda: os.urandom(99_999), errors.UnsupportedTypeError, "PDF, DOCX or plain|UTF-8"),
    "encrypted PDF": (
        lambda: build.pdf(lambda page: page, user_password="a", owner_password="b"),
        errors.EncryptedError,
        "password",
    ),
    "encrypted DOCX": (
        lambda: (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + bytes(512)
            + "EncryptedPackage".encode("utf-16-le")
            + bytes(512)
        ),
        errors.EncryptedError,
        "password",
    ),
    "encrypted ZIP": (lambda: build.with_flag(DOCX, 1), errors.EncryptedError, "password"),
    "old Word": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(999),
        errors.UnsupportedTypeError,
        "Save it as DOCX",
    ),
    "10,000 pages": (
        lambda: build.raw_pdf(build.text_content(b"(x) Tj"), pages=10_000),
        errors.TooManyPagesError,
        "10000 pages, the limit is 30",
    ),
    "300 MB in a PDF": (build.bomb_pdf, errors.TooLargeError, "unpacks"),
    "300 MB in two layers": (
        lambda: build.bomb_pdf(layers=2),
        errors.EmptyDocumentError,
        "blank",
    ),
    "2 GB in two layers": (
        lambda: build.bomb_pdf(2_000, layers=2),
        errors.DocumentError,
        "memory|blank|damaged",
    ),
    "4 million operators": (build.operators_pdf, errors.TooLargeError, "objects"),
    "zip bomb": (
        lambda: build.archive({"a": bytes(100 * MEGABYTE)}),
        errors.TooLargeError,
        "unpacks",
    ),
    "DOCX bomb": (
        lambda: changed({"word/document.xml": BODY + b"<w:p/>" * 4 * MEGABYTE}),
        errors.TooLargeError,
        "unpacks",
    ),
    "DOCX that understates its size": (
        lambda: build.with_declared_size(
            changed({"word/document.xml": BODY + b"<w:p/>" * MEGABYTE}), "word/document.xml", 99
        ),
        errors.CorruptError,
        "damaged",
    ),
    "nested ZIP": (
        lambda: build.archive({"a.zip": build.archive({"b.zip": stored(bytes(9_999))})}),
        errors.UnsupportedTypeError,
        "ZIP archive",
    ),
    "DOCX with a ZIP inside": (
        lambda: changed({"word/media/a.zip": build.archive({"b": bytes(9_999)})}),
        errors.UnsupportedTypeError,
        "archive within",
    ),
    "too many entries": (
        lambda: changed({f"word/{i}.xml": b"" for i in range(1_001)}),
        errors.TooLargeError,
        "files, the limit is 1000",
    ),
    "DOCTYPE": (
        lambda: changed({"word/document.xml": DOCTYPE + BODY + b"&b;</w:document>"}),
        errors.CorruptError,
        "DOCTYPE",
    ),
    "DOCTYPE in UTF-16": (
        lambda: changed({"word/styles.xml": (DOCTYPE.decode() + "<a/>").encode("utf-16")}),
        errors.CorruptError,
        "DOCTYPE",
    ),
    "DOCTYPE in UTF-7": (
        lambda: changed({"word/styles.xml": b"<?xml version='1.0' encoding='utf-7'?>+ADw-a/>"}),
        errors.CorruptError,
        "encoding",
    ),
    "path traversal": (lambda: changed({"../../etc/passwd": b"x"}), errors.CorruptError, "outside"),
    "absolute path": (lambda: changed({"/etc/passwd": b"x"}), errors.CorruptError, "outside"),
    "path of Windows": (
        lambda: changed({"..\\..\\a.exe": b"x"}),
        errors.CorruptError,
        "outside",
    ),
    "duplicate entry": (lambda: twice("word/document.xml"), errors.CorruptError, "twice"),
    "PDF behind something else": (
        lambda: b"<html>" + GOOD,
        errors.UnsupportedTypeError,
        "several types",
    ),
    "PDF and ZIP": (lambda: GOOD + stored(b"x"), errors.UnsupportedTypeError, "several types"),
    "ZIP with a PDF first": (lambda: stored(GOOD), errors.UnsupportedTypeError, "several types"),
    "other Office document": (
        lambda: changed({build.CONTENT_TYPES: b"<Types>spreadsheetml.sheet.main+xml</Types>"}),
        errors.UnsupportedTypeError,
        "Excel",
    ),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(99), errors.UnsupportedTypeError, "picture"),
    "program": (
        lambda: b"\x7fELF" + bytes(99),
        errors.UnsupportedTypeError,
        "program",
    ),
    "web page": (lambda: b"\n<!DOCTYPE html><p>x", errors.UnsupportedTypeError, "web page"),
    "text that breaks its mark": (
        lambda: b"\xff\xfea\x00\x00\xd8",
        errors.CorruptError,
        "encoding",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_gets_its_error_and_the_next_one_is_read(
    reader: DocumentReader, name: str
) -> None:
    make, error, message = HOSTILE[name]
    data = make()
    start = time.monotonic()
    with pytest.raises(error, match=message) as caught:
        reader.read(data, f"{SECRET}.txt")
    assert time.monotonic() - start < reader.limits.seconds + 2
    assert SECRET not in str(caught.value)
    assert reader.read(GOOD).text == GOOD_TEXT


@pytest.mark.parametrize("name", ["cv.exe", "cv.txt", "cv.docx", "cv", None])
def test_the_type_is_decided_by_content_and_a_wrong_name_is_reported(
    reader: DocumentReader, name: str | None
) -> None:
    document = reader.read(GOOD, name)
    assert (document.kind, document.text) == ("pdf", GOOD_TEXT)
    assert bool(document.warnings) == (name in {"cv.txt", "cv.docx"})


#: So much that a quick machine, too, runs out of time before it runs out of memory.
ROOMY = 4096 * MEGABYTE


def read_slow(reader: DocumentReader) -> None:
    # An error of another kind would surface as an unhandled one in the thread.
    with pytest.raises(errors.TimedOutError, match=f"{reader.limits.seconds:g} seconds"):
        reader.read(build.forms_pdf())


def test_what_takes_too_long_is_killed_while_others_are_answered() -> None:
    limits = Limits(seconds=1.5, documents_per_child=99_999, memory_bytes=ROOMY)
    with DocumentReader(limits) as reader:
        for _ in range(2):
            reader.read(GOOD)  # both children have started
        before = reader.child_pids()
        slow = threading.Thread(target=read_slow, args=(reader,))
        slow.start()
        waits = []
        while slow.is_alive():
            start = time.monotonic()
            assert reader.read(GOOD).text == GOOD_TEXT
            waits.append(time.monotonic() - start)
        slow.join()
        assert max(waits) < 1.0
        assert len(reader.child_pids() - before) == 1, "the killed child was not replaced"
        assert reader.read(GOOD).text == GOOD_TEXT


def test_a_document_beyond_the_memory_of_its_child_is_too_large() -> None:
    with DocumentReader(Limits(memory_bytes=300 * MEGABYTE), workers=1) as reader:
        with pytest.raises(errors.TooLargeError, match="300000000 bytes of memory"):
            reader.read(build.bomb_pdf(layers=2))
        assert reader.read(GOOD).text == GOOD_TEXT


def test_a_full_queue_says_so_instead_of_waiting_for_ever() -> None:
    with DocumentReader(
        Limits(seconds=1.5, queue_seconds=0.2, memory_bytes=ROOMY), workers=1
    ) as reader:
        reader.read(GOOD)
        slow = threading.Thread(target=read_slow, args=(reader,))
        slow.start()
        time.sleep(0.2)
        with pytest.raises(errors.BusyError, match="Try again"):
            reader.read(GOOD)
        slow.join()


def test_children_are_recycled_and_memory_of_the_parent_stays_flat() -> None:
    bomb, long = build.bomb_pdf(100, layers=2), b"Jane Doe " * 500_000
    with DocumentReader(Limits(documents_per_child=3), workers=1) as reader:
        reader.read(long)
        start, seen = resident_bytes(), set()
        for _ in range(4):
            seen |= reader.child_pids()
            assert len(reader.read(long).text) == reader.limits.max_chars
            with pytest.raises(errors.DocumentError):
                reader.read(bomb)
        assert resident_bytes() - start < 20 * MEGABYTE
        assert len(seen) >= 3


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_child_has_no_environment_opens_no_file_and_ends_with_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADZUNA_APP_KEY", SECRET)
    with DocumentReader(workers=1) as reader:
        reader.read(GOOD)
        (pid,) = reader.child_pids()
        process = Path(f"/proc/{pid}")
        assert SECRET not in (process / "environ").read_text()
        assert len(list((process / "fd").iterdir())) <= 4
        limits = (process / "limits").read_text().splitlines()
        caps = {line[:25].strip(): line[25:].split()[0] for line in limits}
        assert caps["Max open files"] == "0"
        assert caps["Max file size"] == "0"
        assert caps["Max address space"] == str(reader.limits.memory_bytes)
    assert not process.exists()


def test_documents_are_read_side_by_side_and_none_gets_the_answer_of_another(
    reader: DocumentReader,
) -> None:
    texts = [f"Person number {number}" for number in range(24)]
    found: dict[str, Document] = {}

    def read(text: str) -> None:
        found[text] = reader.read(
            build.raw_pdf(build.text_content(b"9 9 Td (%s) Tj" % text.encode()))
        )

    threads = [threading.Thread(target=read, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {text: document.text for text, document in found.items()} == {t: t for t in texts}


def test_a_document_that_never_had_the_processor_is_not_to_blame() -> None:
    with DocumentReader(Limits(seconds=1.0), workers=1, last=True) as reader:
        reader.read(GOOD)
        [child] = reader.child_pids()
        os.kill(child, signal.SIGSTOP)
        with pytest.raises(errors.BusyError, match="No processor was free"):
            reader.read(GOOD)
        assert reader.read(GOOD).text == GOOD_TEXT


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has it")
def test_everything_else_goes_before_what_a_reader_reads_but_not_before_its_start() -> None:
    with DocumentReader(workers=1, last=True) as reader:
        [child] = reader.child_pids()
        assert os.sched_getscheduler(child) == os.sched_getscheduler(0)
        reader.read(GOOD)
        assert os.sched_getscheduler(child) == os.SCHED_IDLE
    with DocumentReader(Limits(documents_per_child=1), workers=1, last=True) as reader:

        def ask() -> None:
            let_others_first()
            reader.read(GOOD)

        asking = threading.Thread(target=ask)
        asking.start()
        asking.join()
        [child] = reader.child_pids()  # in the place of the one that has read enough
        assert os.sched_getscheduler(child) == os.SCHED_IDLE  # as who asked
    with DocumentReader(workers=1) as reader:
        [child] = reader.child_pids()
        assert os.getpriority(os.PRIO_PROCESS, child) == os.getpriority(os.PRIO_PROCESS, 0) + 10
