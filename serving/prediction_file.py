"""BentoML's way to the log of predictions, ending in a file that all workers share."""

from collections.abc import Iterable, Mapping
from typing import Any

from bentoml.monitoring import MonitorBase

from serving.line_file import LineFile


class PredictionFile(MonitorBase):  # type: ignore[misc]
    """Appends what ``bentoml.monitor`` records to a file.

    BentoML's own writes local time without a zone, a file for each worker that is never removed,
    and prints what it cannot write.

    Parameters
    ----------
    name : str
        Of the monitor, for BentoML.
    file : LineFile
    columns : mapping of str to role and type
    """

    def __init__(
        self, name: str, file: LineFile, columns: Mapping[str, tuple[str, str]], **_: Any
    ) -> None:
        super().__init__(name)
        self._file = file
        self.columns_schema = {
            column: {"name": column, "role": role, "type": sort}
            for column, (role, sort) in columns.items()
        }

    def export_data(self, datas: Mapping[str, Iterable[Any]]) -> None:
        """Append what was recorded, a line for each row."""
        rows = zip(*datas.values(), strict=True)
        self._file.append(dict(zip(datas, row, strict=True)) for row in rows)
