"""What the stand-in for the Hugging Face Hub answers to each call."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs

import yaml

from tests.hub_store import Blob, GitCommit, Refused, Store, User


class Place(Protocol):
    """The server, as an answer needs to know it."""

    endpoint: str
    storage: str
    page: int
    store: Store


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What was asked, and by whom."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    user: User | None

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


def refused(refusal: Refused) -> Answer:
    """Return the answer with which the hub refuses."""
    headers = {"x-error-message": refusal.message, "content-type": "application/json"}
    if refusal.code:
        headers["x-error-code"] = refusal.code
    return Answer(refusal.status, json.dumps(refusal.body).encode(), headers)


def _json(content: Any, headers: Mapping[str, str] | None = None) -> Answer:
    encoded = json.dumps(content).encode()
    return Answer(200, encoded, {"content-type": "application/json", **(headers or {})})


# --- the hub


def hub_answer(hub: Place, request: Request) -> Answer:
    """Return what the hub answers."""
    for method, pattern, act in _ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found and request.method in method:
            with hub.store.lock:
                return act(hub, request, **found.groupdict())
    raise Refused(404, f"no such call: {request.method} {request.path}")


def _whoami(_: Place, request: Request) -> Answer:
    user = request.user
    if user is None:
        raise Refused(401, "Invalid username or password.")
    role = "write" if user.may_write else "read"
    return _json({"type": "user", "name": user.name, "auth": {"accessToken": {"role": role}}})


def _create(hub: Place, request: Request) -> Answer:
    asked = request.json
    namespace = asked.get("organization") or (request.user.name if request.user else "")
    repo = f"{namespace}/{asked['name']}"
    address = {"url": f"{hub.endpoint}/{repo}"}
    hub.store.create(repo, request.user, private=asked.get("visibility") == "private", **address)
    return _json(address)


def _validate_yaml(_: Place, request: Request) -> Answer:
    found = re.match(r"---\n(.*?)\n---\n", request.json["content"], re.DOTALL)
    if not found:
        return _json({"warnings": [{"message": "empty or missing yaml metadata in repo card"}]})
    try:
        yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        errors = {"errors": [{"message": str(error)}], "warnings": []}
        return Answer(400, json.dumps(errors).encode())
    return _json({"errors": [], "warnings": []})


def _preupload(hub: Place, request: Request, repo: str, rev: str) -> Answer:
    there = hub.store.write(repo, request.user).at(rev).files
    files = []
    for file in request.json["files"]:
        large = Blob.is_large(file["path"], file["size"], file["sample"])
        blob = there.get(file["path"])
        files.append(
            {
                "path": file["path"],
                "uploadMode": "lfs" if large else "regular",
                "shouldIgnore": False,
                "oid": None if blob is None else blob.sha256 if blob.large else blob.oid,
            }
        )
    return _json({"files": files})


def _lfs_batch(hub: Place, request: Request, repo: str) -> Answer:
    hub.store.write(repo, request.user)
    objects = []
    for wanted in request.json["objects"]:
        entry = {"oid": wanted["oid"], "size": wanted["size"]}
        if wanted["oid"] not in hub.store.objects:
            entry["actions"] = {
                "upload": {"href": f"{hub.storage}/{wanted['oid']}?signature=1"},
                "verify": {"href": f"{hub.endpoint}/{repo}.git/info/lfs/objects/verify"},
            }
        objects.append(entry)
    return _json({"transfer": "basic", "objects": objects})


def _lfs_verify(hub: Place, request: Request, repo: str) -> Answer:
    hub.store.write(repo, request.user)
    stored = hub.store.objects.get(request.json["oid"])
    if stored is None or len(stored) != request.json["size"]:
        raise Refused(404, "the object is not here")
    return _json({})


def _commit(hub: Place, request: Request, repo: str, rev: str) -> Answer:
    lines = [json.loads(line) for line in request.body.splitlines()]
    commit = hub.store.commit(repo, request.user, rev, lines)
    address = f"{hub.endpoint}/{repo}/commit/{commit.oid}"
    return _json({"success": True, "commitOid": commit.oid, "commitUrl": address})


def _tag(hub: Place, request: Request, repo: str, rev: str) -> Answer:
    hub.store.write(repo, request.user).add_tag(request.json["tag"], rev)
    return _json({})


def _branch(hub: Place, request: Request, repo: str, rev: str) -> Answer:
    start = request.json.get("startingPoint", "main")
    hub.store.write(repo, request.user).add_branch(rev, start)
    return _json({})


def _refs(hub: Place, request: Request, repo: str) -> Answer:
    there = hub.store.read(repo, request.user)

    def entries(kind: str, refs: Mapping[str, str]) -> list[dict[str, str]]:
        return [
            {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid}
            for name, oid in refs.items()
        ]

    branches, tags = entries("heads", there.branches), entries("tags", there.tags)
    return _json({"branches": branches, "tags": tags, "converts": []})


def _info(hub: Place, request: Request, repo: str, rev: str = "main") -> Answer:
    there = hub.store.read(repo, request.user)
    commit = there.at(rev)
    siblings = [{"rfilename": name} for name in commit.files]
    private = there.private
    return _json({"id": repo, "sha": commit.oid, "private": private, "siblings": siblings})


def _commits(hub: Place, request: Request, repo: str, rev: str) -> Answer:
    there = hub.store.read(repo, request.user)
    entries = [
        {
            "id": commit.oid,
            "title": commit.title,
            "message": commit.message,
            "authors": [{"user": "ann"}],
            "date": "2026-11-23T00:00:00.000Z",
        }
        for commit in there.history(there.at(rev))
    ]
    return _page(hub, request, entries)


def _tree(hub: Place, request: Request, repo: str, rev: str) -> Answer:
    commit = hub.store.read(repo, request.user).at(rev)
    folders = {name.rsplit("/", 1)[0] for name in commit.files if "/" in name}
    entries = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": name} for name in folders]
    return _page(hub, request, entries + list(_entries(commit)))


def _entries(commit: GitCommit) -> Iterator[dict[str, Any]]:
    for name, blob in sorted(commit.files.items()):
        entry = {"type": "file", "oid": blob.oid, "size": len(blob.content), "path": name}
        if blob.large:
            size = len(blob.content)
            entry["lfs"] = {"oid": blob.sha256, "size": size, "pointerSize": len(blob.pointer)}
        yield entry


def _page(hub: Place, request: Request, entries: list[dict[str, Any]]) -> Answer:
    start = int(request.query.get("cursor", ["0"])[0])
    end = start + hub.page
    headers = {}
    if end < len(entries):
        address = f"{hub.endpoint}{request.path}?recursive=True&cursor={end}"
        headers["link"] = f'<{address}>; rel="next"'
    return _json(entries[start:end], headers)


def _paths_info(hub: Place, request: Request, repo: str, rev: str) -> Answer:
    commit = hub.store.read(repo, request.user).at(rev)
    wanted = parse_qs(request.body.decode())["paths"]
    return _json([entry for entry in _entries(commit) if entry["path"] in wanted])


def _resolve(hub: Place, request: Request, repo: str, rev: str, path: str) -> Answer:
    commit = hub.store.read(repo, request.user).at(rev)
    blob = commit.files.get(path)
    if blob is None:
        raise Refused(404, "Entry not found", "EntryNotFound")
    headers = {"x-repo-commit": commit.oid, "etag": f'"{blob.oid}"'}
    if not blob.large:
        return _part(request, blob.content, headers)
    headers |= {
        "x-linked-etag": f'"{blob.sha256}"',
        "x-linked-size": str(len(blob.content)),
        "location": f"{hub.storage}/{blob.sha256}?signature=1",
    }
    return Answer(302, b"", headers)


_REPO = r"(?P<repo>[^/]+/[^/]+)"
_API = rf"/api/models/{_REPO}"
_REV = r"(?P<rev>[^/]+)"
_ROUTES: tuple[tuple[tuple[str, ...], str, Callable[..., Answer]], ...] = (
    (("GET",), "/api/whoami-v2", _whoami),
    (("POST",), "/api/repos/create", _create),
    (("POST",), "/api/validate-yaml", _validate_yaml),
    (("POST",), f"{_API}/preupload/{_REV}", _preupload),
    (("POST",), f"/{_REPO}.git/info/lfs/objects/batch", _lfs_batch),
    (("POST",), f"/{_REPO}.git/info/lfs/objects/verify", _lfs_verify),
    (("POST",), f"{_API}/commit/{_REV}", _commit),
    (("POST",), f"{_API}/tag/{_REV}", _tag),
    (("POST",), f"{_API}/branch/{_REV}", _branch),
    (("GET",), f"{_API}/refs", _refs),
    (("GET",), _API, _info),
    (("GET",), f"{_API}/revision/{_REV}", _info),
    (("GET",), f"{_API}/commits/{_REV}", _commits),
    (("GET",), f"{_API}/tree/{_REV}", _tree),
    (("POST",), f"{_API}/paths-info/{_REV}", _paths_info),
    (("GET", "HEAD"), f"/{_REPO}/resolve/{_REV}/(?P<path>.+)", _resolve),
)


# --- the storage of large files


def storage_answer(hub: Place, request: Request) -> Answer:
    """Return what the storage of large files answers."""
    oid = request.path.removeprefix("/")
    if "authorization" in request.headers:
        raise Refused(400, "a signed address takes no other credentials")
    if "signature" not in request.query:
        raise Refused(403, "the address is not signed")
    if request.method == "PUT":
        with hub.store.lock:
            hub.store.add_object(oid, request.body)
        return Answer()
    if oid not in hub.store.objects:
        raise Refused(404, "no such object")
    return _part(request, hub.store.objects[oid], {"etag": f'"{oid}"'})


def _part(request: Request, content: bytes, headers: Mapping[str, str]) -> Answer:
    """Return the content, or the end of it that is asked for."""
    found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if not found:
        return Answer(200, content, headers)
    start = int(found[1])
    if start >= len(content):
        raise Refused(416, "the file is shorter")
    span = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return Answer(206, content[start:], {**headers, "content-range": span})
