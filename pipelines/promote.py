"""Make a registered version the champion, if the gate lets it.

The hub's ``main`` is moved by one commit, and that is the moment; every step before may be
repeated, and what comes after is made up for by the next command of this kind.
"""

import argparse
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from models.errors import CareerlensError
from models.gates import Decision, force
from models.hub import Hub, open_hub
from models.manifest import KINDS, Kind
from models.params import Params, load_params
from models.release import version_tag
from models.skill_model import SkillModel
from pipelines import tracking
from pipelines.champions import Champion, crown, current_champion, repo_of
from pipelines.entry import entry_point
from pipelines.evidence import Candidate, hear, judge, read_candidate
from pipelines.publish import DEFAULT_HUB, decision_table
from pipelines.sending import registered_version, send_version
from pipelines.tracking import Store


class RefusedError(CareerlensError):
    """The gate refuses a version; the message says why."""


def promote(
    store: Store,
    hub: Hub,
    kind: Kind,
    params: Params,
    number: int | None = None,
    reason: str | None = None,
) -> Champion:
    """Judge one version against the champion, and make it the champion.

    Parameters
    ----------
    number : int, optional
        The version; by default the one that the alias ``challenger`` names.
    reason : str, optional
        Why it shall be champion even if the gate refuses it.

    Raises
    ------
    RefusedError
        If the gate refuses it and no reason is given.
    ConflictError
        If somebody else moved the champion meanwhile.
    """
    repo = repo_of(params, kind)
    champion = current_champion(store, hub, repo, kind)
    version = registered_version(store, kind, number)
    tag, digest = version_tag(int(version.version)), version.tags["digest"]
    if champion is not None and (champion.release.tag, champion.release.digest) == (tag, digest):
        print(f"{kind}: {tag} is the champion already")
        return champion
    with tempfile.TemporaryDirectory() as folder:
        release = tracking.download(store, version.run_id, tracking.RELEASE, Path(folder))
        challenger = read_candidate(release, kind, digest, tag)
        decision = weigh(store, hub, challenger, champion, params)
    print(f"{kind}: {tag} against {champion.release.tag if champion else 'nobody'}")
    print(decision_table(decision))
    if reason is not None:
        decision = force(decision, reason)
    if not decision.accepted:
        raise RefusedError(f"{kind}: {tag} is refused: {'; '.join(decision.reasons)}")
    sent = send_version(store, hub, repo, kind, version)
    crowned = crown(store, hub, repo, kind, sent.release, champion, asdict(decision))
    print(f"{kind}: {tag} is the champion" + (f", by force: {reason}" if decision.forced else ""))
    return crowned


def weigh(
    store: Store,
    hub: Hub,
    challenger: Candidate,
    champion: Champion | None,
    params: Params,
    data: Path = Path("data"),
) -> Decision:
    """Return what the gate decides, after both answered the same rows."""
    kind = challenger.kind
    beside = None
    if champion is not None:
        release = champion.release
        beside = read_candidate(champion.path, kind, release.digest, release.tag)
    skills = _skills(store, hub, params) if kind == "matching" else None
    return judge(hear(challenger, beside, data, params.evaluate, skills), params, params.gate)


def _skills(store: Store, hub: Hub, params: Params) -> SkillModel:
    """Return what reads resumes for job indexes: the champion's skills model.

    Raises
    ------
    RefusedError
        If there is none.
    """
    champion = current_champion(store, hub, repo_of(params, "skills"), "skills")
    if champion is None:
        raise RefusedError("a job index is judged with the skills champion, and there is none yet")
    release = champion.release
    model: SkillModel = read_candidate(
        champion.path, "skills", release.digest, release.tag
    ).bundle.model
    return model


@entry_point
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.promote", description=__doc__)
    parser.add_argument("kind", metavar="MODEL", choices=KINDS, help=", ".join(KINDS))
    parser.add_argument("--version", type=int, metavar="N", help="default: the challenger")
    parser.add_argument("--force", metavar="REASON", help="promote what the gate refuses; recorded")
    parser.add_argument("--hub", default=os.environ.get("CAREERLENS_HUB") or DEFAULT_HUB)
    args = parser.parse_args()
    hub, params = open_hub(args.hub), load_params()
    with tracking.open_store() as store:
        promote(store, hub, args.kind, params, args.version, args.force)


if __name__ == "__main__":
    main()
