"""Where a release comes from, as the end of its model card."""

from models.manifest import Manifest
from models.release import Release

CARD = "README.md"

_HEADING = "\n## Where it comes from\n"


def with_origin(card: str, release: Release, manifest: Manifest) -> str:
    """Return a packaged model card with the chain of its release; same release, same text."""
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
    normaliser = f", normaliser {manifest.normaliser}" if manifest.normaliser else ""
    files = "; ".join(
        f"{name}: " + ", ".join(f"`{file}` `{digest[:12]}`" for file, digest in about.files.items())
        for name, about in manifest.sources.items()
    )
    rows = {
        "version": f"{release.tag}, registered {release.created}",
        "git commit": _code(release.git_commit),
        "dvc.lock": _code(release.dvc_lock),
        "MLflow run": _code(release.mlflow_run),
        "signer": _code(release.signer),
        "data": f"`{manifest.data}`; {files}",
        "params": _code(manifest.params),
        "code": _code(manifest.code),
        "libraries": libraries + normaliser,
    }
    table = "".join(f"| {name} | {text} |\n" for name, text in rows.items())
    check = f"`python -m pipelines.provenance {release.kind} {release.tag}` checks every line.\n"
    return f"{card}{_HEADING}{check}\n| | |\n|---|---|\n{table}"


def packaged(card: bytes) -> bytes:
    """Return a release's model card as it was packaged, before :func:`with_origin`."""
    return card.partition(_HEADING.encode())[0]


def _code(digest: str | None) -> str:
    return f"`{digest}`" if digest else "not known"
