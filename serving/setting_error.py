"""What stops a start, apart from the errors of requests: those are known without BentoML, too."""

from bentoml.exceptions import BentoMLConfigException


class SettingsError(BentoMLConfigException):  # type: ignore[misc]
    """A variable has a wrong value; ``bentoml serve`` shows the sentence and stops."""
