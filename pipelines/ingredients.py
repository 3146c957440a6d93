"""The links from a bundle to its ingredients: code, libraries, params and data."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path, PurePosixPath

import yaml
from pydantic import ValidationError

from models.errors import LibraryVersionError
from models.manifest import Manifest, Source, check_versions
from models.params import Params
from pipelines.chain import Link, absent, digest_of, judged
from pipelines.code import code_digest
from pipelines.history import Tree
from pipelines.kinds import MADE
from pipelines.lock import Cache, Lock, folder_md5, tree_md5
from pipelines.packaging import params_digest
from pipelines.sources import FEEDBACK, Catalogue

_TAXONOMY = "taxonomy"  # the source that is the project's own, in data/taxonomy
_CATALOGUE = "data/sources.yaml"
_FEEDBACK = "data/feedback"

# What decides how params.yaml, and the code, become the digests in the manifest.
_READERS = (
    "models/params.py",
    "models/tagger_params.py",
    "pipelines/kinds.py",
    "pipelines/packaging.py",
)
_CODE_READERS = ("pipelines/code.py", "pipelines/kinds.py", "pipelines/packaging.py")


def made_link(manifest: Manifest, release: Mapping[str, bytes], lock: Lock) -> Link:
    """Compare the release with what dvc.lock says the packaging stage wrote.

    Parameters
    ----------
    release : dict of str to bytes
        ``README.md`` as it was packaged, and every file of ``bundle/``, by path.
    """
    out = f"artifacts/{manifest.kind}/release"
    expected, found = lock.outputs().get(out), folder_md5(release)
    if expected is None:
        return Link("output", "MISMATCH", f"dvc.lock knows no {out}")
    faults = [] if found == expected else [f"dvc.lock says {out} is {expected}, it is {found}"]
    return judged("output", faults, f"README.md and bundle/ are {out} of dvc.lock, {found}")


def code_link(manifest: Manifest, lock: Lock, tree: Tree) -> Link:
    """Compare every file that the stages read and git versions with those of a tree."""
    inputs = lock.inputs(f"artifacts/{manifest.kind}/release")
    inputs.pop(_FEEDBACK, None)  # git ignores what is in it: it is compared as a source
    other = sorted(path for path, md5 in inputs.items() if md5 != tree_md5(path, tree.files))
    faults = [f"not as in {tree.name}: {', '.join(other)}"] if other else []
    text = f"all {len(inputs)} files and folders that the stages read are those of {tree.name}"
    return judged("code", faults, text)


def modules_link(manifest: Manifest, tree: Tree, now: Tree) -> Link:
    """Compare the manifest's digest of the code with that of the modules of a tree.

    Parameters
    ----------
    tree, now : Tree
        The files the bundle was made of, and those of the working copy.
    """
    name = "modules"
    modules = MADE[manifest.kind].modules
    found = code_digest(modules, lambda path: tree.files.get(path.as_posix()))
    changed = _changed(_CODE_READERS, tree, now)
    if found != manifest.code and changed:
        return absent(name, f"this code lists modules otherwise since {', '.join(changed)} changed")
    fault = f"those of {tree.name} give {found[:12]}, manifest.json says {manifest.code[:12]}"
    text = f"code {manifest.code[:12]} is that of {', '.join(modules)} and what they import in "
    return judged(name, [] if found == manifest.code else [fault], text + tree.name)


def libraries_link(manifest: Manifest, folder: Path, tree: Tree) -> Link:
    """Compare the manifest's libraries with the pins of a tree, and say if they are here."""
    lock = tree.files.get("requirements.lock", b"").decode()
    pins: dict[str, list[str]] = {}  # more than one where they depend on the version of Python
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE):
        pins.setdefault(name, []).append(version)
    faults = [
        f"{name} {version}, pinned in {tree.name} is {' or '.join(pins[name])}"
        for name, version in manifest.libraries.items()
        if version not in pins.get(name, [version])
    ]
    try:
        check_versions(folder, manifest)
        here = "it loads here"
    except LibraryVersionError as error:
        here = f"it does not load here: {error}"
    named = ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
    normaliser = f", normaliser {manifest.normaliser}" if manifest.normaliser else ""
    return judged("libraries", faults, f"{named}{normaliser}, as pinned in {tree.name}; {here}")


def params_link(
    manifest: Manifest, copies: Mapping[str, bytes], tree: Tree | None, now: Tree
) -> Link:
    """Compare the manifest's digest of params with copies of params.yaml.

    Parameters
    ----------
    copies : dict of str to bytes
        params.yaml by whose it is.
    tree, now : Tree
        The files the bundle was made of, and those of the working copy.
    """
    name = "params"
    faults = []
    for whose, encoded in copies.items():
        try:
            params = Params.model_validate(yaml.safe_load(encoded))
        except (ValidationError, yaml.YAMLError):
            return absent(name, f"this code cannot read the params.yaml of {whose}")
        digest = params_digest(manifest.kind, params)
        if digest != manifest.params:
            faults.append(f"params.yaml of {whose} gives {digest[:12]}")
    if not copies:
        return absent(name, "no params.yaml of that time is here")
    changed = tree and _changed(_READERS, tree, now)
    if faults and changed:
        return absent(name, f"this code reads params otherwise since {', '.join(changed)} changed")
    if faults:
        faults.append(f"manifest.json says {manifest.params[:12]}")
    return judged(name, faults, f"{manifest.params[:12]} are those of {', '.join(copies)}")


def source_links(manifest: Manifest, tree: Tree, cache: Cache) -> Iterator[Link]:
    """Compare hashes and licence of each source with what a tree declares or versions."""
    try:
        content = yaml.safe_load(tree.files[_CATALOGUE])
        catalogue = Catalogue.model_validate(content)
    except (KeyError, ValidationError, yaml.YAMLError):
        yield absent("sources", f"this code cannot read {_CATALOGUE} of {tree.name}")
        return
    for name, source in manifest.sources.items():
        declared = catalogue.sources.get(name)
        if name == FEEDBACK:
            yield _feedback_link(source, tree, cache)
            continue
        faults = []
        for file, digest in source.files.items():
            if name == _TAXONOMY:
                expected = _sha256_of(f"data/taxonomy/{file}", tree.files)
            elif declared is None or file not in declared.files:
                expected = None
            else:
                there = declared.files[file]
                starter = PurePosixPath("data/starter", there.folder or "", file).as_posix()
                expected = there.sha256 or _sha256_of(starter, tree.files)
            if expected != digest:
                has = "has none" if expected is None else f"has {expected[:12]}"
                faults.append(f"{file} is {digest[:12]}, {tree.name} {has}")
        if declared is not None and declared.licence != source.licence:
            faults.append(f"licence {source.licence!r}, {tree.name} has {declared.licence!r}")
        files = ", ".join(f"{file} {digest[:12]}" for file, digest in source.files.items())
        yield judged(f"source {name}", faults, f"{files}, as in {tree.name}; {source.licence}")


def _feedback_link(source: Source, tree: Tree, cache: Cache) -> Link:
    """Compare moderators' corrections with what DVC versions of them, which holds a hash alone."""
    name = f"source {FEEDBACK}"
    [(file, digest)] = source.files.items()
    pointer = tree.files.get(f"{_FEEDBACK}/{file}.dvc")
    if pointer is None:
        return absent(name, f"{tree.name} has no {_FEEDBACK}/{file}.dvc: `dvc add` makes it")
    [out] = yaml.safe_load(pointer)["outs"]
    here = cache(out["md5"])
    if here is None:
        return absent(name, _not_cached({f"{_FEEDBACK}/{file}"}))
    found = _sha256(here.read_bytes())
    faults = [] if found == digest else [f"{file} is {digest[:12]}, DVC's is {found[:12]}"]
    return judged(name, faults, f"{file} {digest[:12]}, as DVC has it; {source.licence}")


def raw_links(manifest: Manifest, lock: Lock, cache: Cache) -> Iterator[Link]:
    """Compare the sources' files in DVC's cache with the manifest, where there are any."""
    name = "raw data"
    expected = {
        f"data/raw/{source}/{file}": digest
        for source, about in manifest.sources.items()
        if source != _TAXONOMY
        for file, digest in about.files.items()
    }
    paths = {path: lock.cached(path, cache) for path in expected}
    found = {path: _sha256(here.read_bytes()) for path, here in paths.items() if here}
    faults = [
        f"{path} in DVC's cache is {digest[:12]}"
        for path, digest in found.items()
        if digest != expected[path]
    ]
    if faults or (found and len(found) == len(expected)):
        yield judged(name, faults, f"DVC's cache has {', '.join(found)}, with these hashes")
    elif expected:
        yield absent(name, _not_cached(expected.keys() - found.keys()))


def tables_link(manifest: Manifest, lock: Lock, cache: Cache) -> Link:
    """Compare the tables in DVC's cache with the manifest's digest of its data."""
    name = "tables"
    places = [f"data/{place}" for place, _ in MADE[manifest.kind].datasets.values()]
    paths = {place: lock.cached(place, cache) for place in places}
    missing = {place for place, path in paths.items() if path is None}
    if missing:
        return absent(name, _not_cached(missing))
    digests = [_sha256(path.read_bytes()) for path in paths.values() if path]
    faults = data_faults(manifest, digests, "the tables in DVC's cache")
    return judged(name, faults, f"data {manifest.data[:12]} are {', '.join(places)} in DVC's cache")


def data_faults(manifest: Manifest, digests: Sequence[str], whose: str) -> list[str]:
    """Return what is wrong if tables with the sha256 ``digests`` are not the manifest's data."""
    if manifest.kind == "skills":
        taxonomy = manifest.sources.get(_TAXONOMY)
        digests = [*(taxonomy.files.values() if taxonomy else ()), *digests]
    found = digest_of(digests)
    return (
        []
        if found == manifest.data
        else [f"{whose} give {found[:12]}, manifest.json says {manifest.data[:12]}"]
    )


def _changed(paths: Iterable[str], tree: Tree, now: Tree) -> list[str]:
    return [path for path in paths if tree.files.get(path) != now.files.get(path)]


def _not_cached(paths: Set[str]) -> str:
    return f"DVC's cache has no {', '.join(sorted(paths))} of that time: `dvc fetch --all-commits`"


def _sha256_of(path: str, files: Mapping[str, bytes]) -> str | None:
    return _sha256(files[path]) if path in files else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
