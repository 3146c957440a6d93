"""Make a registered version the champion, if the gate lets it.

The hub's ``main`` is moved by one commit, and that is the moment; every step before may be
repeated, and what comes after is made up for by the next command of this kind.
"""

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import BundleError, CareerlensError, SignatureError
from models.gates import Check, Decision, force
from models.hub import CHALLENGER, Hub
from models.manifest import Kind
from models.params import Params, load_params
from models.release import version_tag
from models.skill_model import SkillModel
from models.trust import Trust, read_trust
from pipelines import tracking
from pipelines.champions import Champion, champion_parser, crown, current_champion, repo_of
from pipelines.entry import entry_point
from pipelines.evidence import Candidate, hear, judge, read_candidate
from pipelines.publish import decision_table, refusal
from pipelines.sending import Offer, check_signature, offered, registered_version, send
from pipelines.tracking import Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


#: What the command ends with where the gate refuses a version; 1 is any other failure.
REFUSED = 3


class RefusedError(CareerlensError):
    """A version is not promoted; the message says why."""


class WorseError(RefusedError):
    """The gate refuses a version: it is not better, or not good enough."""


def promote(
    store: Store,
    hub: Hub,
    kind: Kind,
    params: Params,
    trust: Trust,
    number: int | None = None,
    reason: str | None = None,
) -> Champion:
    """Judge one version against the champion, and make it the champion.

    Parameters
    ----------
    trust : Trust
        Whose signature a version needs, if any.
    number : int, optional
        The version; by default the one that MLflow's alias ``challenger`` names, unless this hub
        has another candidate waiting.
    reason : str, optional
        Why it shall be champion even if the gate refuses it.

    Raises
    ------
    WorseError
        If the gate refuses it and no reason is given.
    RefusedError
        If no reason would do, or it is not said which of two candidates is meant.
    ConflictError
        If somebody else moved the champion meanwhile.
    """
    repo = repo_of(params, kind)
    champion = current_champion(store, hub, repo, kind)
    version = registered_version(store, kind, number)
    if number is None:
        _check_waiting(store, hub, repo, kind, version, champion)
    tag, digest = version_tag(int(version.version)), version.tags["digest"]
    if champion is not None and (champion.release.tag, champion.release.digest) == (tag, digest):
        trust.check(champion.path)
        print(f"{kind}: {tag} is the champion already")
        return champion
    with offered(store, hub, repo, kind, version) as offer:
        challenger = read_candidate(offer.path, kind, digest, tag, _is_signed(offer, trust))
        print(f"{kind}: {tag} against {champion.release.tag if champion else 'nobody'}")
        decision = weigh(store, hub, challenger, champion, params, trust)
        print(decision_table(decision))
        if reason is not None:
            if challenger.signed is False:
                raise RefusedError(
                    f"{kind}: {tag} cannot be forced: the service asks for a trusted signature "
                    "too, and would refuse it"
                )
            decision = force(decision, reason)
        if not decision.accepted:
            raise WorseError(refusal(f"{kind}: {tag} is refused", decision))
        sent = send(store, hub, repo, kind, version, offer, trust)
    crowned = crown(store, hub, repo, kind, sent.fetched, champion, asdict(decision))
    by_force = f", by force: {decision.forced}" if decision.forced else ""
    print(f"{kind}: {tag} is the champion{by_force}")
    return crowned


def weigh(
    store: Store,
    hub: Hub,
    challenger: Candidate,
    champion: Champion | None,
    params: Params,
    trust: Trust,
    data: Path = Path("data"),
) -> Decision:
    """Return what the gate decides, after both answered the same rows.

    A champion that the service would refuse cannot be asked. Then the challenger is refused, but
    may be forced: else whoever spoils the champion is rid of the comparison.
    """
    kind = challenger.kind
    beside, mute = None, None
    if champion is not None:
        release = champion.release
        try:
            trust.check(champion.path)
            beside = read_candidate(champion.path, kind, release.digest, release.tag)
        except BundleError as error:
            mute = (
                f"the champion {release.tag} cannot be asked, a service would refuse it: {error}; "
                "to do without the comparison, say --force REASON"
            )
    skills = _skills(store, hub, params, trust) if kind == "matching" else None
    decision = judge(hear(challenger, beside, data, params.evaluate, skills), params, params.gate)
    if mute is None:
        return decision
    return replace(
        decision,
        accepted=False,
        checks=(*decision.checks, Check("champion", 0.0, 1.0, passed=False)),
        reasons=(*decision.reasons, mute),
    )


def _check_waiting(
    store: Store,
    hub: Hub,
    repo: str,
    kind: Kind,
    version: "ModelVersion",
    champion: Champion | None,
) -> None:
    """Check that no other candidate than MLflow's waits on this hub.

    One MLflow may serve several hubs, and its newest version be meant for another one. What was
    champion here does not wait.
    """
    branches = {} if champion is None else hub.refs(repo).branches
    if champion is None or CHALLENGER not in branches:
        return
    waiting = hub.release(repo, branches[CHALLENGER])
    once = {champion.release.tag, *(promotion.to for promotion in champion.promotions)}
    newest = version_tag(int(version.version))
    if waiting.tag in once or (waiting.tag, waiting.digest) == (newest, version.tags["digest"]):
        return
    raise RefusedError(
        f"{kind}: {newest} is the newest version in {store.address}, and {waiting.tag} waits on "
        f"{hub}: say which one is meant, --version {version.version} or --version "
        f"{waiting.version}"
    )


def _is_signed(offer: Offer, trust: Trust) -> bool | None:
    """Return whether a trusted key signed what is offered; None where no key is named."""
    if not trust.keys:
        return None
    try:
        check_signature(offer, trust)
    except SignatureError as error:
        print(f"{offer.tag} lacks a signature that counts: {error}")
        return False
    return True


def _skills(store: Store, hub: Hub, params: Params, trust: Trust) -> SkillModel:
    """Return what reads resumes for job indexes: the champion's skills model.

    Raises
    ------
    RefusedError
        If there is none.
    """
    champion = current_champion(store, hub, repo_of(params, "skills"), "skills")
    if champion is None:
        raise RefusedError("a job index is judged with the skills champion, and there is none yet")
    trust.check(champion.path)
    release = champion.release
    model: SkillModel = read_candidate(
        champion.path, "skills", release.digest, release.tag
    ).bundle.model
    return model


@entry_point
def main() -> None:
    """Run the command."""
    parser = champion_parser("promote", __doc__)
    parser.add_argument("--version", type=int, metavar="N", help="default: the challenger")
    parser.add_argument("--force", metavar="REASON", help="promote what the gate refuses; recorded")
    args = parser.parse_args()
    trust = read_trust(os.environ)
    with tracking.open_store() as store:
        try:
            promote(store, args.hub, args.kind, load_params(), trust, args.version, args.force)
        except WorseError as error:
            print(f"promote: {error}", file=sys.stderr)
            sys.exit(REFUSED)


if __name__ == "__main__":
    main()
