"""The fourth step: what the import would do, before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHeaderView, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.intake import Incoming, Refused
from fieldcrm.domain.outlet import address
from fieldcrm.ui import labels, theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.steward.changes import in_a_line
from fieldcrm.ui.steward.imports.desk import CHECK, SAVE, ImportDesk
from fieldcrm.ui.steward.workbar import WorkBar
from fieldcrm.ui.widgets import (
    Button,
    Card,
    Column,
    EmptyState,
    InlineMessage,
    PageModel,
    PageTable,
    SegmentedControl,
    StateStack,
    Text,
    column,
    row,
)
from fieldcrm.usecases.importing import Changed, Openings, Preview
from fieldcrm.words import listing, number, tr, trc, trn

SORTS = ("new", "changed", "same", "refused")


@dataclass(frozen=True)
class Line:
    """A row of the table, whatever its sort."""

    id: int
    row: int
    first: str
    second: str
    third: str
    dropped: str = ""  # what was left out of it


class SortTile(Card):
    """One sort of rows with its count; a click shows them below."""

    def __init__(self, words: str, tone: str) -> None:
        super().__init__(padding=4, spacing=0.5, clickable=True)
        self._tone_of_count = tone
        self._value = Text("–", "figure")
        self._words = Text(words, "body-medium")
        self._note = Text("", "caption", "muted", wrap=True)
        self._name = words
        for text in (self._value, self._words, self._note):
            self.add(text)

    def set(self, count: int, note: str, *, shown: bool) -> None:
        self._value.setText(number(count))
        self._note.setText(note)
        self.set_tone(self._tone_of_count if shown else "")
        self.setAccessibleName(f"{self._name}: {number(count)}. {note}")


class CheckStep(QWidget):
    """The dry run begins by itself when the step is shown."""

    def __init__(self, desk: ImportDesk) -> None:
        super().__init__()
        self._desk = desk
        self._shown = ""
        self._preview: Preview | None = None
        self._lines: list[Line] = []
        lines = column(4)
        self.setLayout(lines)
        self.message = InlineMessage(closable=False)
        lines.addWidget(self.message)
        self.bar = WorkBar(desk.work, CHECK, SAVE)
        lines.addWidget(self.bar)
        self.content = QWidget()
        inner = column(4)
        self.content.setLayout(inner)
        inner.addLayout(self._make_tiles())
        self.openings = self._make_openings()
        inner.addWidget(self.openings)
        self.head = Text("", "body-strong")
        above = row(3)
        above.addWidget(self.head, 1)
        self.save_button = Button(tr("Save the refused rows…"), "secondary", "download", self.save)
        above.addWidget(self.save_button)
        inner.addLayout(above)
        self.model: PageModel[Line] = PageModel(_columns("new"), self._fetch, parent=self)
        self.table = PageTable(self.model, tr("Rows"))
        self.table.setSortingEnabled(False)
        self.table.setSelectionMode(PageTable.SelectionMode.SingleSelection)
        self.state = StateStack(self.table)
        inner.addWidget(self.state, 1)
        lines.addWidget(self.content, 1)
        self._rest = QWidget()
        lines.addWidget(self._rest, 1)

    def _make_tiles(self) -> Any:
        self.tiles = {
            "new": SortTile(trc("outlets", "New"), "success"), "changed": SortTile(tr("Known and changed"), "accent"),
            "same": SortTile(tr("Already the same"), "neutral"), "refused": SortTile(trc("rows", "Refused"), "warning"),
        }  # fmt: skip
        across = row(3)
        for name, tile in self.tiles.items():
            tile.clicked.connect(lambda name=name: self.show_sort(name))
            across.addWidget(tile, 1)
        return across

    def _make_openings(self) -> QWidget:
        card = Card(padding=4, spacing=1)
        across = row(4)
        words = column(0.5)
        words.addWidget(Text(tr("Outlets of this source are here already"), "body-medium"))
        words.addWidget(Text(
            tr("New ones can wait under Updates until somebody says so, or be added at once."), "caption", "muted",
            wrap=True))
        across.addLayout(words, 1)
        self.how = SegmentedControl(
            [(Openings.PROPOSE, tr("Propose them")), (Openings.ADD, tr("Add them"))], name=tr("New outlets"))
        self.how.chosen.connect(lambda value: self._desk.settle_openings(value))
        across.addWidget(self.how)
        card.add(across)
        return card

    # what is shown

    def begin(self) -> None:
        """The step came to the front: check, unless it was checked as it is now."""
        if self._desk.preview is None and not self._desk.busy():
            self._desk.check()

    def refresh(self) -> None:
        desk = self._desk
        preview = desk.preview
        self.content.setVisible(preview is not None)
        self._rest.setVisible(preview is None)
        if desk.error is not None:
            self.message.show_text(sentence(desk.error), "danger")
        elif preview is None and not desk.busy():
            self.message.show_text(tr("The check was stopped. “Check again” begins anew."), "neutral")
        elif preview is not None and (hint := self._hint(preview)):
            self.message.show_text(hint, "warning")
        else:
            self.message.hide()
        if preview is None:
            self._preview = None
            return
        if preview is not self._preview:
            self._preview = preview
            first = next((name for name in SORTS if self._count(name)), "new")
            self.show_sort(first)
        self.openings.setVisible(preview.known_source and preview.new > 0)
        self.how.set_value(Openings.ADD if desk.aim.openings == Openings.ADD else Openings.PROPOSE)
        dropped = any(one.dropped for one in (*preview.sample_new, *preview.sample_same))
        self.save_button.setVisible(preview.refused > 0 or dropped)
        self.save_button.setText(tr("Save the refused rows…") if preview.refused else tr("Save what is left out…"))
        self.save_button.setEnabled(not desk.busy())
        self._tell_tiles()

    def _hint(self, preview: Preview) -> str:
        """What looks wrong as a whole."""
        if preview.rows and preview.new + preview.changed + preview.same == 0:
            return tr("No row can be taken. Look at the reasons below, and at the columns again.")
        if preview.new and preview.unmapped > preview.new * 0.9 and "lat" in (self._targets() or ()):
            return tr("Hardly any outlet got a position. Look at the coordinates of the file again.")
        return ""

    def _targets(self) -> Sequence[str]:
        return self._desk.mapping.targets if self._desk.mapping is not None else ()

    def _count(self, name: str) -> int:
        return int(getattr(self._desk.preview, name)) if self._desk.preview is not None else 0

    def _tell_tiles(self) -> None:
        preview = self._desk.preview
        assert preview is not None
        propose = preview.known_source and self._desk.aim.openings != Openings.ADD
        unmapped = trn("{n} without a position", "{n} without a position", preview.unmapped) if preview.unmapped else ""
        notes = {
            "new": tr("wait as updates") if propose else unmapped or tr("are added"),
            "changed": tr("wait as updates"), "same": tr("stay as they are"),
            "refused": tr("stay out, with the reason"),
        }  # fmt: skip
        for name, tile in self.tiles.items():
            tile.set(self._count(name), notes[name], shown=name == self._shown)

    def show_sort(self, name: str) -> None:
        """The first rows of one sort."""
        preview = self._desk.preview
        if preview is None:
            return
        self._shown = name
        samples: dict[str, Sequence[Any]] = {
            "new": preview.sample_new, "changed": preview.sample_changed, "same": preview.sample_same,
            "refused": preview.sample_refused,
        }  # fmt: skip
        self._lines = [_line(at, one) for at, one in enumerate(samples[name])]
        self.model.beginResetModel()
        self.model.columns = _columns(name)
        if not any(line.dropped for line in self._lines):
            self.model.columns = [one for one in self.model.columns if one.key != "dropped"]
        self.model.endResetModel()
        self.model.set_ids([line.id for line in self._lines])
        self._fit()
        count, seen = self._count(name), len(self._lines)
        words = {
            "new": tr("New outlets"), "changed": tr("What the file says otherwise"), "same": tr("Already the same"),
            "refused": tr("Rows that are refused"),
        }[name]  # fmt: skip
        some = tr("{what}: the first {seen} of {count}", what=words, seen=number(seen), count=number(count))
        self.head.setText(some if seen < count else words)
        self._tell_tiles()
        if not self._lines:
            self.state.show_empty(EmptyState("inbox", tr("None of this sort")))
        else:
            self.state.show_content()

    def _fit(self) -> None:
        header = self.table.horizontalHeader()
        header.setSectionsMovable(False)
        header.setStretchLastSection(False)
        for at, one in enumerate(self.model.columns):
            stretches = one.key == "third"
            header.setSectionResizeMode(
                at, QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Interactive)
            self.table.setColumnWidth(at, theme.pixels(one.width))

    def _fetch(self, ids: Sequence[int]) -> list[Line]:
        return [self._lines[id] for id in ids if id < len(self._lines)]

    def focus_first(self) -> None:
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def save(self) -> None:
        """Ask where, and write every refused row with its reason."""
        name = self._desk.opened.path.stem if self._desk.opened is not None else ""
        proposed = tr("{file} refused", file=name) + ".csv"
        chosen, _ = QFileDialog.getSaveFileName(self.window(), tr("Save the refused rows"), proposed, "CSV (*.csv)")
        if chosen:
            self._desk.save_refused(Path(chosen))


def _line(at: int, one: Incoming | Changed | Refused) -> Line:
    if isinstance(one, Refused):
        reason = sentence(CodedError(one.code, **one.params))
        return Line(at, one.row, one.column or "–", one.value or "–", reason)
    if isinstance(one, Changed):
        before = {field: pair[0] for field, pair in one.fields.items()}
        after = {field: pair[1] for field, pair in one.fields.items()}
        return Line(at, one.line.row, one.outlet_name, "", in_a_line(before, after))
    values = one.values
    where = address(*(values.get(part) for part in ("house_number", "street", "postcode", "city")))
    name = str(values.get("name") or values.get("banner") or "–")
    dropped = listing([tr("{column}: {value}", column=gone.column or "–", value=gone.value) for gone in one.dropped])
    return Line(at, one.row, name, labels.store_type(values.get("store_type")), where, dropped)


def _columns(sort: str) -> list[Column[Line]]:
    titles: dict[str, tuple[str, str, str]] = {
        "refused": (tr("Column"), tr("Value"), tr("Reason")),
        "changed": (tr("Outlet"), "", tr("What the file says")),
    }  # fmt: skip
    first, second, third = titles.get(sort, (tr("Outlet"), tr("Type of store"), tr("Address")))
    made: list[Column[Line]] = [Column("row", tr("Row"), lambda line: number(line.row), 76, right=True,
                                       tone=lambda _: "muted")]
    narrow = sort == "refused"  # the reason is the longest
    made.append(Column("first", first, lambda line: line.first, 120 if narrow else 220, strong=True))
    if second:
        made.append(Column("second", second, lambda line: line.second, 130 if narrow else 170, tone=lambda _: "muted"))
    made.append(Column("third", third, lambda line: line.third, 300))
    if sort == "new":
        made.append(Column("dropped", tr("Values left out"), lambda line: line.dropped, 180,
                           tone=lambda _: "warning_text"))
    return made


