"""What the text models say of a message: the names of their heads."""

from collections.abc import Mapping

#: The kinds of toxicity that have a head of their own.
TOXICITY_CATEGORIES = ("insult", "threat", "obscene", "identity_attack")

#: The kinds of bundle that hold a text model, with the names of their heads; the first is main.
HEADS: Mapping[str, tuple[str, ...]] = {
    "spam": ("spam",),
    "toxicity": ("toxic", *TOXICITY_CATEGORIES),
}
