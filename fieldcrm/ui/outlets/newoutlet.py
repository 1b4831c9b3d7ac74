"""A new outlet, entered beside the list; while it is typed, outlets that look like it are shown, never in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QKeyEvent, Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from fieldcrm.domain.catalogue import STORE_TYPES
from fieldcrm.domain.errors import CodedError, DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import parse_position
from fieldcrm.ui import labels, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.duplicate_words import why
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.placing import address_at
from fieldcrm.ui.widgets import (
    Button,
    Card,
    ElidedText,
    Field,
    IconButton,
    InlineMessage,
    ScrollPage,
    Text,
    clear_layout,
    column,
)
from fieldcrm.usecases import outlets
from fieldcrm.usecases.lookalikes import Lookalike, Typed, lookalikes
from fieldcrm.words import tr, trn

LOW = 460  # pixels below which only the likeliest double is shown: the form needs the room
PAUSE = 250  # ms after the last key before lookalikes are asked for


class NewOutlet(Card):
    """``made(id)`` after it was saved, ``left`` when the person gives up."""

    made = Signal(object)
    left = Signal()

    def __init__(self, session: AppSession, open_card: Callable[[Id], None]) -> None:
        super().__init__(padding=0, spacing=0)
        self._session, self._open = session, open_card
        page = ScrollPage(margin=5, spacing=3)
        page.body.addLayout(self._title())
        self._fields: dict[str, Field] = {}
        page.body.addLayout(self._form())
        self._message = InlineMessage()
        page.body.addWidget(self._message)
        page.body.addStretch(1)
        self.add(page, 1)
        self.add(self._warning())
        self.add(self._buttons())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self._look)

    def _title(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.addWidget(Text(tr("New outlet"), "heading"), 1)
        head.addWidget(IconButton("x", tr("Close"), self.left.emit))
        return head

    def _warning(self) -> QWidget:
        """Below the form: it is in sight wherever that is scrolled to, and moves no field under the hands."""
        self._alike = Card(padding=3, spacing=1.5, tone="warning")
        self._alike.hide()
        holder = QWidget()
        around = QHBoxLayout(holder)
        around.setContentsMargins(theme.space(3), 0, theme.space(3), 0)
        around.addWidget(self._alike)
        return holder

    def _form(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(3))
        grid.setVerticalSpacing(theme.space(3))
        self._line(grid, "name", tr("Na&me"), 0, 0, 2)
        banner = self._line(grid, "banner", tr("&Banner"), 1, 0)
        known = QCompleter(list(self._session.ask(outlets.banners)), self)
        known.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        banner.setCompleter(known)
        self.types = QComboBox()
        self.types.addItem("", None)
        for code in STORE_TYPES:
            self.types.addItem(labels.store_type(code), code)
        self._fields["store_type"] = Field(tr("&Type of store"), self.types)
        grid.addWidget(self._fields["store_type"], 1, 1)
        self._line(grid, "house_number", tr("N&umber"), 2, 0)
        self._line(grid, "street", tr("&Street"), 2, 1)
        self._line(grid, "postcode", tr("&Postcode"), 3, 0)
        self._line(grid, "city", tr("&City"), 3, 1)
        self._line(grid, "phone", tr("P&hone"), 4, 0, 2)
        hint = tr("Latitude and longitude in degrees. Without them it is kept, and shown as not mapped.")
        self._line(grid, "position", tr("P&osition"), 5, 0, 2, hint)
        self.address_button = Button(tr("Address at this position"), "ghost", "map-pinned", self.find_address)
        grid.addWidget(self.address_button, 7, 0, 1, 2, Qt.AlignmentFlag.AlignLeft)
        self._session_sector(grid)
        self._country = self._session.ask(lambda r: outlets.usual_country(r, self.sectors.currentData()))
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _session_sector(self, grid: QGridLayout) -> None:
        """Who works in several sectors says which."""
        self.sectors = QComboBox()
        mine = self._session.actor.sectors
        for sector in self._session.ask(outlets.sectors):
            if not mine or sector.id in mine:
                self.sectors.addItem(sector.name, sector.id)
        self._fields["sector_id"] = Field(tr("Secto&r"), self.sectors)
        grid.addWidget(self._fields["sector_id"], 6, 0, 1, 2)
        self._fields["sector_id"].setVisible(self.sectors.count() > 1)

    def _line(
        self, grid: QGridLayout, name: str, label: str, at: int, column: int, span: int = 1, hint: str = ""
    ) -> QLineEdit:
        editor = QLineEdit()
        self._fields[name] = Field(label, editor, hint)
        grid.addWidget(self._fields[name], at, column, 1, span)
        editor.textEdited.connect(lambda _: self._timer.start())
        editor.returnPressed.connect(self.save)
        return editor

    def _buttons(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.space(5), theme.space(3), theme.space(5), theme.space(4))
        foot.setSpacing(theme.space(2))
        foot.addStretch(1)
        foot.addWidget(Button(tr("Cancel"), "secondary", on_click=self.left.emit))
        self.save_button = Button(tr("Save outlet"), "primary", "check", self.save)
        foot.addWidget(self.save_button)
        return foot

    def begin(self, name: str = "") -> None:
        """Empty the form; ``name`` is what was searched for without finding it."""
        for field in self._fields.values():
            field.set_error("")
            if isinstance(field.editor, QLineEdit):
                field.editor.clear()
        self.types.setCurrentIndex(0)
        self._alike.hide()
        self.editor("name").setText(name)
        self.editor("name").setFocus(Qt.FocusReason.OtherFocusReason)
        if name:
            self._look()

    def editor(self, name: str) -> QLineEdit:
        found = self._fields[name].editor
        assert isinstance(found, QLineEdit)
        return found

    def values(self) -> dict[str, Any]:
        """What was typed, as ``create_outlet`` takes it. Raises ``DomainError`` at a position that is none."""
        texts = ("name", "banner", "house_number", "street", "postcode", "city", "phone")
        values: dict[str, Any] = {name: self.editor(name).text() for name in texts}
        values["store_type"] = self.types.currentData()
        values["lat_e7"], values["lon_e7"] = parse_position(self.editor("position").text())
        if self.sectors.currentData() is not None:
            values["sector_id"] = self.sectors.currentData()
        return values

    def save(self) -> None:
        for field in self._fields.values():
            field.set_error("")
        try:
            values = self.values()
        except DomainError as error:
            self._refused(error)
            return
        self._session.do(lambda tx: outlets.create_outlet(tx, values), self.made.emit, self._refused)

    # the address of where the person stands

    def find_address(self) -> None:
        """Ask the address service what stands at the position, and fill in what is still empty."""
        try:
            lat, lon = parse_position(self.editor("position").text())
        except DomainError as error:
            self._refused(error)
            return
        if lat is None or lon is None:
            self._fields["position"].set_error(tr("Enter a position first: latitude, longitude (48.8535, 2.3484)"))
            return
        self.address_button.setEnabled(False)
        address_at(self._session, self.window(), lat, lon, self._found_address, self._no_address)

    def _found_address(self, found: dict[str, str]) -> None:
        self.address_button.setEnabled(True)
        if not found:
            self._message.show_text(tr("No address is known at this position."))
            return
        for name in ("house_number", "street", "postcode", "city"):
            if not self.editor(name).text().strip():
                self.editor(name).setText(found.get(name, ""))
        self._message.show_text(tr("Check the address: it is the one nearest to the position."), "success")
        self._look()

    def _no_address(self, error: BaseException | None) -> None:
        self.address_button.setEnabled(True)
        if error is not None:
            self._message.show_text(sentence(error), "warning")

    def _refused(self, error: BaseException) -> None:
        field = self._fields.get(error.field or "") if isinstance(error, CodedError) else None
        if field is None:
            self._message.show_text(sentence(error), "danger")
            return
        field.set_error(sentence(error))
        field.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)

    # outlets that look like it

    def _look(self) -> None:
        try:
            position = parse_position(self.editor("position").text())
        except DomainError:
            position = (None, None)
        known = ("name", "banner", "city", "postcode", "phone", "street", "house_number")
        texts = {name: self.editor(name).text() for name in known}
        texts["store_type"] = self.types.currentData() or ""
        texts["country"] = self._country
        typed = Typed(**texts, lat_e7=position[0], lon_e7=position[1])
        self._session.ask_later(lambda r: lookalikes(r, typed), self._show_alike, key="outlets.alike")

    def _show_alike(self, found: tuple[Lookalike, ...]) -> None:
        clear_layout(self._alike.body)
        self._alike.setVisible(bool(found))
        if not found:
            return
        self._alike.add(Text(tr("Is it one of these?"), "body-strong"))
        shown = found[:1] if self.height() < theme.pixels(LOW) else found
        for one in shown:
            self._alike.add(self._alike_row(one))
        if len(found) > len(shown):
            rest = trn("and {n} more", "and {n} more", len(found) - len(shown))
            self._alike.add(Text(rest, "caption", "muted"))

    def _alike_row(self, one: Lookalike) -> QWidget:
        holder = QWidget()
        lines = column(0)
        holder.setLayout(lines)
        across = QHBoxLayout()
        across.addWidget(ElidedText(one.outlet.name, "body-medium"), 1)
        instead = Button(tr("Open that one instead"), "quiet", on_click=lambda: self._open(one.outlet.id))
        instead.setAccessibleName(f"{instead.text()}: {one.outlet.name}")
        across.addWidget(instead)
        lines.addLayout(across)
        about = (one.outlet.address, why(one.reasons, most=3, speaking_for=True))
        lines.addWidget(Text(" · ".join(part for part in about if part), "caption", "muted", wrap=True))
        return holder
