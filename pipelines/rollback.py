"""Go back to an earlier champion: the one before, or a version by number.

Nothing is judged again: what has answered before may answer at once, as soon as its bundle passes
the checks of every load.
"""

import os
from collections.abc import Sequence

from models.bundle import load_bundle
from models.errors import CareerlensError
from models.hub import Hub
from models.kinds import FORMATS
from models.manifest import Kind
from models.params import Params, load_params
from models.release import Promotion, version_tag
from models.trust import Trust, read_trust
from pipelines import tracking
from pipelines.champions import champion_parser, crown, current_champion, fetch, repo_of
from pipelines.entry import entry_point
from pipelines.tracking import Store


class RollbackError(CareerlensError):
    """There is nothing to go back to."""


def rollback(
    store: Store,
    hub: Hub,
    kind: Kind,
    params: Params,
    trust: Trust,
    to: int | None = None,
    reason: str = "",
) -> str:
    """Make an earlier champion the champion again and return its tag.

    Parameters
    ----------
    trust : Trust
        Whose signature the version needs, if any.
    to : int, optional
        The version; by default the champion before this one.
    reason : str
        What the log shall say.

    Raises
    ------
    RollbackError
        If there is no champion, or none before it, or ``to`` never was one.
    BundleError
        If the bundle to go back to is not sound, or lacks a signature that is required; ``main``
        stays where it is.
    """
    repo = repo_of(params, kind)
    champion = current_champion(store, hub, repo, kind)
    if champion is None:
        raise RollbackError(f"{kind} has no champion on {hub}, so there is nothing to go back from")
    promotions = champion.promotions
    last = promotions[-1] if promotions else None
    if to is None and champion.news and last is not None and _is_rollback(last):
        # The same command, interrupted after main had moved, or somebody was quicker.
        print(
            f"{kind}: back at {last.to} since {last.when}, by {last.who}, which was unknown to "
            f"{store.address}; to go back further, run this again"
        )
        return last.to
    if to is None:
        tag = previous_champion(promotions)
        if tag is None:
            raise RollbackError(f"{kind}: before {champion.release.tag} there was no champion")
    else:
        tag = version_tag(to)
        once = dict.fromkeys(promotion.to for promotion in promotions)
        if tag not in once:
            raise RollbackError(
                f"{kind}: {tag} never was champion, only {', '.join(once)} were; "
                f"`python -m pipelines.promote {kind} --version {to}` judges it first"
            )
    if tag == champion.release.tag:
        print(f"{kind}: {tag} is the champion already")
        return tag
    fetched = fetch(hub, repo, tag)
    trust.check(fetched.path)
    promised = next(each.digest for each in reversed(promotions) if each.to == tag)
    if (fetched.release.tag, fetched.release.digest) != (tag, promised):
        raise RollbackError(
            f"{kind}: {tag} on {hub} is {fetched.release.tag} with the digest "
            f"{fetched.release.digest[:12]}, and the champion of that name had {promised[:12]}: "
            "somebody changed it; go back to another version"
        )
    load_bundle(fetched.path / "bundle", FORMATS[kind], promised)
    decision = {"rollback": True, "reason": reason}
    crown(store, hub, repo, kind, fetched, champion, decision)
    print(f"{kind}: back from {champion.release.tag} to {tag}")
    return tag


def previous_champion(promotions: Sequence[Promotion]) -> str | None:
    """Return the tag of the champion before the present one, as rolling back step by step goes.

    A promotion lays its version on top of those before; a rollback takes off what lies above the
    version it went to. So two rollbacks in a row go back two versions, and not to and fro.
    """
    stack: list[str] = []
    for promotion in promotions:
        if _is_rollback(promotion) and promotion.to in stack:
            while stack[-1] != promotion.to:
                stack.pop()
        else:
            stack.append(promotion.to)
    return stack[-2] if len(stack) > 1 else None


def _is_rollback(promotion: Promotion) -> bool:
    return bool(promotion.decision.get("rollback"))


@entry_point
def main() -> None:
    """Run the command."""
    parser = champion_parser("rollback", __doc__)
    parser.add_argument("--to", type=int, metavar="N", help="default: the champion before this one")
    parser.add_argument("--reason", default="", help="what the log shall say")
    args = parser.parse_args()
    trust = read_trust(os.environ)
    with tracking.open_store() as store:
        rollback(store, args.hub, args.kind, load_params(), trust, args.to, args.reason)


if __name__ == "__main__":
    main()
