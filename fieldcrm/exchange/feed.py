"""A file and a mapping together: the feed that an import reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fieldcrm.domain.intake import Line
from fieldcrm.exchange.opened import Rows
from fieldcrm.exchange.rows import RowReader


class TableFeed:
    """``domain.intake.Feed`` of a table. ``lines`` may be called again: it begins anew, and keeps no row."""

    def __init__(
        self, rows: Rows, reader: RowReader, *, source: str, licence: str, file: str,
    ) -> None:  # fmt: skip
        self._rows, self._reader = rows, reader
        self.source, self.licence, self.file = source, licence, file

    def lines(self) -> Iterator[Line]:
        return self._reader.lines(self._rows)

    def left_out(self) -> Mapping[str, int]:
        """What the last ``lines`` passed over in a file whose columns are documented: code -> how many.

        ``other_trade``, ``closed``, ``no_name``, ``no_position``, ``outside_world``, ``broken_off``.
        """
        return dict(self._rows.left_out)

    def position(self) -> float:
        return self._rows.position()
