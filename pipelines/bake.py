"""Copy the champions of a hub into a folder that is a hub itself, for a bento to be built with.

Each is verified as the service does it, and keeps its signature. The folder has the versions that
are champions now and no others, and is replaced if it is there.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from models.bundle import verify_bundle
from models.hub import MAIN, Hub, LocalHub
from models.manifest import KINDS, Kind
from models.params import Params, load_params
from models.release import RELEASE_FILE, read_promotions
from models.signing import SIGNATURE_FILE
from models.trust import Trust, read_trust
from pipelines.champions import add_hub, hub_cache, repo_of
from pipelines.entry import entry_point

#: What of a commit makes a release.
_RELEASE = ("README.md", RELEASE_FILE, SIGNATURE_FILE, "bundle")


def bake(hub: Hub, params: Params, trust: Trust, folder: Path) -> LocalHub:
    """Make ``folder`` a hub of the champions of ``hub``, and return it.

    Raises
    ------
    HubError
        If a model has no champion, or it cannot be had.
    BundleError
        If one is not sound, or lacks a signature that is required; ``folder`` stays as it was.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        baked = LocalHub(Path(scratch) / "hub")
        for kind in KINDS:
            _copy(hub, repo_of(params, kind), kind, trust, baked, Path(scratch) / kind)
        if folder.exists():
            shutil.rmtree(folder)
        baked.root.rename(folder)
    return LocalHub(folder)


def _copy(hub: Hub, repo: str, kind: Kind, trust: Trust, baked: LocalHub, scratch: Path) -> None:
    """Publish the champion of one model in ``baked``, as champion of the same version."""
    fetched = hub.fetch(repo, hub.resolve(repo, MAIN), hub_cache())
    signer = trust.check(fetched.path)
    verify_bundle(fetched.path / "bundle", fetched.release.digest)
    scratch.mkdir()
    for name in _RELEASE:
        source = fetched.path / name
        if source.is_dir():
            shutil.copytree(source, scratch / name)
        elif source.exists():
            shutil.copy(source, scratch / name)
    tag = fetched.release.tag
    baked.publish(repo, fetched.release.version, scratch, f"{kind} {tag}")
    promotion = read_promotions(fetched.path)[-1]
    baked.point(repo, MAIN, tag, None, promotion)
    print(f"{kind}: {tag}, {f'signed by {signer[:12]}' if signer else 'signature not asked for'}")


@entry_point
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.bake", description=__doc__)
    parser.add_argument("folder", type=Path, help="such as baked/, which `bentoml build` takes in")
    add_hub(parser)
    args = parser.parse_args()
    bake(args.hub, load_params(), read_trust(os.environ), args.folder)


if __name__ == "__main__":
    main()
