"""What comes in from a file: outlets as a source gives them, and lines that cannot be taken.

Readers (``fieldcrm.exchange``) make a ``Feed`` of a file; the device and the server import any feed alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Dropped:
    """A value that could not be taken although its outlet was: a telephone that is none, hours nobody can read."""

    column: str  # its header, or empty
    value: str  # what stood there, cut to 80 characters
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One outlet of a source. ``values``: fields of the outlet as its columns take them, checked; those that the
    source lacks are not there. ``reference`` is the source's own, stable key, or empty when it has none.

    Besides fields of the outlet ``values`` may hold ``sector``: the code of its sector, as the file says it.
    """

    row: int  # of the file, as a person counts: the first line of a sheet is 1; a map's objects in their order
    reference: str
    values: Mapping[str, Any]
    dropped: tuple[Dropped, ...] = ()  # what was left out of it, and why


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that cannot be taken, and why: ``code`` and ``params`` as of a DomainError."""

    row: int
    column: str  # its header, or empty
    value: str  # what stood there, cut to 80 characters
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


Line = Incoming | Refused


class Feed(Protocol):
    """A file that is ready to be read as outlets, from its beginning, as often as asked, in little memory.

    ``lines`` raises ``DomainError`` when the file as a whole cannot be read, also midway.
    """

    @property
    def source(self) -> str: ...  # "osm", "sirene", "banco", or the name that a person gave

    @property
    def licence(self) -> str: ...

    @property
    def file(self) -> str: ...  # its name, without a folder

    def lines(self) -> Iterator[Line]: ...

    def position(self) -> float: ...  # how much of the file the last ``lines`` has read, from 0 to 1
