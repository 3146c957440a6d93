"""Bring the chosen sources to data/raw, checked by sha256; no other stage reaches outside."""

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from models.errors import CareerlensError
from models.params import load_params
from pipelines.entry import entry_point
from pipelines.sources import (
    INDEX,
    RESERVED,
    Catalogue,
    Choice,
    RawFile,
    RawIndex,
    RawReserved,
    RawSource,
    Source,
    choose_sources,
    load_catalogue,
    read_reserved,
    write_index,
)
from pipelines.stage import parse_args

TIMEOUT_SECONDS = (10, 60)  # to connect, and between two pieces of an answer
WAITS_SECONDS = (0.5, 2.0, 5.0)  # before each further attempt

#: The folder of each corpus whose files have no address.
Origins = Mapping[str, Path]

# Unfinished files live here, in the file system of their destination, so that a move is atomic.
_INCOMING = ".incoming"


class IngestError(CareerlensError):
    """A raw file cannot be had, or is not the declared one."""


@dataclass(frozen=True)
class Wanted:
    """One file to bring: where it goes, what it must be, and where it is.

    ``origin`` is a local file to copy; without one the mirror is tried, then ``url``.
    """

    source: str
    file: str
    target: Path
    sha256: str
    size: int | None = None
    url: str | None = None
    origin: Path | None = None

    def __str__(self) -> str:
        """Return how messages name the file."""
        return f"source {self.source}, file {self.file}"


def ingest(
    catalogue: Catalogue, choice: Choice, origins: Origins, raw: Path, mirror: Path | None
) -> RawIndex:
    """Make ``raw`` hold exactly the files of ``choice``, and return what they are.

    Parameters
    ----------
    origins : mapping of corpus to Path
        The folders from which files without an address are copied: that of the starter corpus, and
        of ``any`` the one where moderators' corrections are.
    mirror : Path or None
        A folder laid out ``<source>/<file>``, tried before the address of each file.

    Raises
    ------
    IngestError
        If a file cannot be had or has another sha256; what arrived before it stays, verified.
    """
    _clear(raw, catalogue, choice)
    incoming = raw / _INCOMING
    incoming.mkdir(parents=True)
    try:
        for wanted in _wanted(choice, origins, raw):
            fetch(wanted, incoming, mirror)
        reserved = None
        if choice.corpus == "public":
            reserved = _bring_reserved(catalogue, raw, incoming, mirror)
    finally:
        shutil.rmtree(incoming)
    return RawIndex(
        corpus=choice.corpus,
        order=tuple(choice.sources),
        sources={name: _brought(source, raw / name) for name, source in choice.sources.items()},
        left_out=choice.left_out,
        reserved=reserved,
    )


def fetch(wanted: Wanted, incoming: Path, mirror: Path | None = None) -> None:
    """Put one file in place, by way of the folder ``incoming``.

    A file that is in place already, with the right sha256, is kept.

    Raises
    ------
    IngestError
        Naming source, file, where it was sought, and what can be done. Nothing partial stays.
    """
    if wanted.target.is_file():
        if _sha256(wanted.target) == wanted.sha256:
            _say(wanted, "kept")
            return
        wanted.target.unlink()
    wanted.target.parent.mkdir(parents=True, exist_ok=True)
    arrived = incoming / wanted.target.name
    mirrored = mirror / wanted.source / wanted.file if mirror else None
    if wanted.origin:
        _copy(wanted, wanted.origin, arrived)
    elif mirrored and mirrored.is_file():
        _copy(wanted, mirrored, arrived)
    else:
        _download(wanted, arrived, mirror)
    os.replace(arrived, wanted.target)


def mirror_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder DATA_MIRROR names, or None when it is not set.

    A relative path starts at DVC_ROOT where DVC sets it: the copies in which queued experiments
    run lie elsewhere.

    Raises
    ------
    IngestError
        If there is no such folder.
    """
    named = environment.get("DATA_MIRROR", "").strip()
    if not named:
        return None
    folder = Path(environment.get("DVC_ROOT", "."), named).resolve()
    if not folder.is_dir():
        raise IngestError(f"DATA_MIRROR={named}: no folder {folder}; correct or unset it")
    return folder


def own_sources(catalogue: Catalogue, folder: Path) -> set[str]:
    """Return the sources of corpus ``any`` that have rows in ``folder``."""
    return {
        name
        for name, source in catalogue.sources.items()
        if source.corpus == "any" and any(_has_rows(folder / file) for file in source.files)
    }


def _has_rows(file: Path) -> bool:
    return file.is_file() and bool(file.read_bytes().strip())


def _wanted(choice: Choice, origins: Origins, raw: Path) -> Iterator[Wanted]:
    for name, source in choice.sources.items():
        for file, declared in source.files.items():
            target = raw / name / file
            if declared.sha256:
                size, url = declared.bytes, declared.url
                yield Wanted(name, file, target, declared.sha256, size, url)
                continue
            of_corpus = "starter" if declared.versioned else source.corpus
            origin = origins[of_corpus] / (declared.folder or "") / file
            if not origin.is_file():
                raise IngestError(
                    f"source {name}: no file {origin}; restore it (`git checkout -- {origin}`)"
                )
            # Git versions the starter corpus, so whatever it holds is right; of moderators'
            # corrections whatever was exported last is.
            yield Wanted(name, file, target, _sha256(origin), origin=origin)


def _copy(wanted: Wanted, copied: Path, arrived: Path) -> None:
    shutil.copyfile(copied, arrived)
    found = _sha256(arrived)
    if found != wanted.sha256:
        arrived.unlink()
        raise IngestError(
            f"{wanted}: {copied} ({copied.stat().st_size} bytes) has sha256 {found}, declared is "
            f"{wanted.sha256} ({wanted.size or 'unknown'} bytes); replace the file (what a mirror "
            "lacks comes from its address), or review the change and update the sha256 in "
            "data/sources.yaml"
        )
    _say(wanted, f"copied from {copied}")


def _download(wanted: Wanted, arrived: Path, mirror: Path | None) -> None:
    if wanted.url is None:
        raise IngestError(f"{wanted}: no address, and not found in the mirror {mirror}")
    sought = f"not in the mirror {mirror}, and " if mirror else ""
    remedy = (
        "check the network, set DATA_MIRROR to a folder that holds "
        f"{wanted.source}/{wanted.file}, or leave the source out by data.exclude_licences"
    )
    _say(wanted, f"downloading {wanted.url}")
    try:
        pooch.retrieve(
            wanted.url,
            known_hash=f"sha256:{wanted.sha256}",
            fname=arrived.name,
            path=arrived.parent,
            downloader=_download_patiently,
        )
    except requests.RequestException as error:
        status = _status(error)
        fault = f"answered {status}" if status else f"cannot be read: {error}"
        raise IngestError(f"{wanted}: {sought}{wanted.url} {fault}; {remedy}") from error
    except ValueError as error:  # how pooch reports a wrong hash
        raise IngestError(
            f"{wanted}: {wanted.url} gave other bytes than declared: {error} Try again; if it "
            "stays so the file was changed: review it and update the sha256 in "
            "data/sources.yaml, or set DATA_MIRROR to a folder that holds the old one"
        ) from error


def _download_patiently(url: str, output: str, registry: pooch.Pooch | None) -> None:
    """Download with progress; try again after failures that may pass."""
    download = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT_SECONDS)
    for wait in (*WAITS_SECONDS, None):
        try:
            download(url, output, registry)
        except requests.RequestException as error:
            if error.response is not None:
                error.response.close()
            status = _status(error)
            may_pass = status is None or status == 429 or status >= 500
            if wait is None or not may_pass:
                raise
            time.sleep(wait)
        else:
            return


def _status(error: requests.RequestException) -> int | None:
    return None if error.response is None else error.response.status_code


def _bring_reserved(
    catalogue: Catalogue, raw: Path, incoming: Path, mirror: Path | None
) -> RawReserved | None:
    declared = catalogue.reserved
    target = raw / RESERVED
    if mirror is not None:
        listed = mirror / RESERVED
        if not listed.is_file():
            raise IngestError(
                f"the list of reserved texts is not in the mirror: no file {listed}; complete the "
                "mirror, or unset DATA_MIRROR to do without the list"
            )
        wanted = Wanted("reserved", RESERVED, target, declared.sha256, origin=listed)
        fetch(wanted, incoming)
    elif not target.is_file() or _sha256(target) != declared.sha256:
        target.unlink(missing_ok=True)
        print(
            f"ingest: warning: no DATA_MIRROR, so no {RESERVED}: texts kept for tests to come "
            "cannot be left out of training; to do so, set it and run `dvc repro --force ingest`",
            file=sys.stderr,
        )
        return None
    return RawReserved(sha256=declared.sha256, count=len(read_reserved(target)))


def _clear(raw: Path, catalogue: Catalogue, choice: Choice) -> None:
    """Remove what an earlier run left that this one does not want, and nothing of anybody else.

    DVC empties the folder before it runs the stage; this is for runs by hand.
    """
    wanted = {raw / name / file for name, source in choice.sources.items() for file in source.files}
    if choice.corpus == "public":
        wanted.add(raw / RESERVED)
    present = [path for path in raw.rglob("*") if not path.is_dir()] if raw.exists() else []
    surplus = [path for path in present if path not in wanted]
    known = {*catalogue.sources, RESERVED, INDEX, _INCOMING}
    foreign = [path for path in surplus if path.relative_to(raw).parts[0] not in known]
    if foreign and not (raw / INDEX).exists():
        raise IngestError(
            f"{raw} holds {foreign[0].relative_to(raw)}, which ingest did not put there; name "
            "another folder by --raw, or move the file away"
        )
    for path in surplus:
        path.unlink()
    for folder in sorted((path for path in raw.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def _brought(source: Source, folder: Path) -> RawSource:
    files = {
        name: RawFile(
            role=declared.role,
            sha256=_sha256(folder / name),
            bytes=(folder / name).stat().st_size,
        )
        for name, declared in source.files.items()
    }
    return RawSource(task=source.task, licence=source.licence, reader=source.reader, files=files)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _say(wanted: Wanted, what: str) -> None:
    print(f"ingest: {wanted.source}/{wanted.file}: {what}", flush=True)


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(__doc__, inputs=["sources", "starter", "feedback"], outputs=["raw"])
    pooch.get_logger().setLevel("WARNING")
    params = load_params().data
    catalogue = load_catalogue(args.sources)
    present = own_sources(catalogue, args.feedback)
    choice = choose_sources(catalogue, params.corpus, params.exclude_licences, present)
    for name, licence in choice.left_out.items():
        print(f"ingest: {name} left out, its licence is excluded: {licence}")
    mirror = mirror_folder(os.environ) if params.corpus == "public" else None
    origins = {"starter": args.starter, "any": args.feedback}
    write_index(ingest(catalogue, choice, origins, args.raw, mirror), args.raw)


if __name__ == "__main__":
    main()
