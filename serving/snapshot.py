"""What answers at one moment: the models that a request takes at its start, and no others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models.manifest import Kind, Thresholds
from serving.errors import NotReadyError
from serving.tracing import note_models

if TYPE_CHECKING:  # scikit-learn and skops take a second to import: the thread pays, not the start
    from models.bundle import Bundle
    from models.moderation import Moderator, ServedModel
    from serving.workshop import Lodger

TEXT_KINDS: tuple[Kind, ...] = ("spam", "toxicity")


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to answer, under the version and commit it was fetched by.

    Attributes
    ----------
    version : str
        The hub's tag, such as ``v3``.
    loaded_at : str
        ISO 8601 in UTC.
    thresholds : Thresholds or None
        Of a text model: the bundle's, or the operator's.
    seconds : float
        What bringing, verifying and loading it took.
    created : str
        When the version was registered, as its release says.
    """

    kind: Kind
    bundle: "Bundle[Any]"
    version: str
    commit: str
    loaded_at: str
    thresholds: Thresholds | None = None
    seconds: float = 0.0
    created: str = ""

    def served(self) -> "ServedModel":
        """Return a text model as the moderator takes it."""
        from models.moderation import ServedModel

        assert self.thresholds is not None  # a text model's bundle does not load without
        return ServedModel(self.bundle, self.version, self.thresholds)

    def is_same(self, other: "Loaded | None") -> bool:
        """Whether both give the same answers under the same name."""
        return other is not None and (self.version, self.bundle.digest) == (
            other.version,
            other.bundle.digest,
        )


@dataclass(frozen=True)
class Snapshot:
    """The models of one moment; never changed, but exchanged as a whole.

    Whoever answers takes it once: the versions it names are then those that answered, whatever is
    loaded meanwhile.
    """

    models: Mapping[Kind, Loaded] = field(default_factory=dict)
    text: "Moderator | None" = None

    def exchanged(self, loaded: Loaded) -> "Snapshot":
        """Return what answers with ``loaded`` in the place of its kind, warmed up."""
        models = {**self.models, loaded.kind: loaded}
        text = self.text
        if loaded.kind in TEXT_KINDS and models.keys() >= set(TEXT_KINDS):
            from models.moderation import Moderator

            text = Moderator(*(models[kind].served() for kind in TEXT_KINDS))
            text.moderate(["The first message pays for what is made on first use."])
        return Snapshot(models, text)

    def moderator(self) -> "Moderator":
        """Return what scores messages; NotReadyError while a champion is missing."""
        self.require(*TEXT_KINDS)
        assert self.text is not None  # made with the second of the two
        return self.text

    def skills(self) -> int:
        """Return by which number the workshop is asked for skills.

        Raises
        ------
        NotReadyError
            While the champion is missing.
        """
        return self._number("skills")

    def jobs(self) -> int:
        """Return by which number it is asked for jobs, as :meth:`skills` does."""
        return self._number("matching")

    def versions(self, *kinds: Kind) -> dict[str, dict[str, str]]:
        """Return version and digest of the models of these kinds, as answers name them.

        They are noted for the request's line in the log.
        """
        note_models({kind: self.models[kind].version for kind in kinds})
        return {
            kind: {"version": self.models[kind].version, "digest": self.models[kind].bundle.digest}
            for kind in kinds
        }

    def require(self, *kinds: Kind) -> None:
        """Check that models of these kinds answer.

        Raises
        ------
        NotReadyError
            While one is missing.
        """
        if missing := [kind for kind in kinds if kind not in self.models]:
            raise NotReadyError(f"not loaded yet: {', '.join(missing)}; GET /models says why")

    def _number(self, kind: Kind) -> int:
        self.require(kind)
        lodger: Lodger = self.models[kind].bundle.model
        return lodger.number
