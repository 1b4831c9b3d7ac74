"""The second step: what the file is, as it was recognised, and what its outlets are to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit

from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import Message, sentence
from fieldcrm.ui.steward.imports.desk import ImportDesk
from fieldcrm.ui.steward.imports.words import LICENCES, about, delimiter_name, kind_icon
from fieldcrm.ui.widgets import (
    Card,
    ElidedText,
    Field,
    InlineMessage,
    ScrollPage,
    SectionTitle,
    SegmentedControl,
    Switch,
    Text,
    clear_layout,
    column,
    row,
)
from fieldcrm.ui.widgets.signs import Sign
from fieldcrm.usecases import import_settings, outlets
from fieldcrm.usecases.feeds import COORDINATES, ENCODINGS, Notice, Opened
from fieldcrm.words import country, tr, trc

DELIMITERS = (";", ",", "\t", "|")
HEADER_ROWS = 20  # lines among which the one with the names is chosen
OPTIONS = frozenset({"sheet", "encoding", "delimiter", "header_row"})
MAPPED = frozenset({"coordinates", "decimal"})


def coordinates_name(code: str) -> str:
    return {
        "wgs84": tr("Latitude and longitude in degrees"), "swapped": tr("Longitude first, then latitude"),
        "lambert93": tr("Lambert-93 (metres)"), "mercator": tr("Web Mercator (metres)"),
    }.get(code, code)  # fmt: skip


class RecognisedStep(ScrollPage):
    """Everything here is a suggestion that a person may change; the file is then read again."""

    def __init__(self, desk: ImportDesk, session: AppSession) -> None:
        super().__init__(margin=0, spacing=4)
        self._desk, self._session = desk, session
        self._filling = False
        self._table = True
        self.message = InlineMessage()
        self.body.addWidget(self.message)
        self.body.addWidget(self._file_card())
        self.body.addWidget(self._aim_card())
        self.body.addStretch(1)

    def _file_card(self) -> Card:
        card = Card(spacing=4)
        head = row(3)
        self._icon = row(0)
        head.addLayout(self._icon)
        words = column(0.5)
        self._name = ElidedText("", "heading")
        self._about = Text("", "caption", "muted", wrap=True)
        words.addWidget(self._name)
        words.addWidget(self._about)
        head.addLayout(words, 1)
        card.add(head)
        self._notices = column(2)
        card.add(self._notices)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(4))
        grid.setVerticalSpacing(theme.space(3))
        self.sheet, self.encoding, self.delimiter = QComboBox(), QComboBox(), QComboBox()
        self.header, self.coordinates = QComboBox(), QComboBox()
        self._fields: dict[str, Field] = {}
        for at, (key, label, editor) in enumerate((
            ("sheet", tr("S&heet"), self.sheet), ("encoding", tr("&Encoding"), self.encoding),
            ("delimiter", tr("Se&parator"), self.delimiter), ("header_row", tr("Line with the na&mes"), self.header),
            ("coordinates", tr("Coor&dinates"), self.coordinates),
        )):  # fmt: skip
            editor.setMinimumContentsLength(12)
            editor.activated.connect(lambda _, key=key, editor=editor: self._chose(key, editor.currentData()))
            self._fields[key] = Field(label, editor)
            grid.addWidget(self._fields[key], at // 2, at % 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        card.add(grid)
        self._grid = grid
        return card

    def _aim_card(self) -> Card:
        card = Card(spacing=4)
        card.add(SectionTitle(tr("Its outlets")))
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(4))
        grid.setVerticalSpacing(theme.space(3))
        self.source, self.sector, self.licence = QLineEdit(), QComboBox(), QComboBox()
        self.licence.setEditable(True)
        self.licence.addItems(["", *LICENCES])
        self.source.setMaxLength(60)
        self.source.editingFinished.connect(lambda: self._named(source=self.source.text().strip()))
        self.licence.currentTextChanged.connect(lambda text: self._named(licence=text.strip()))
        self.sector.activated.connect(lambda _: self._aimed(sector_id=self.sector.currentData()))
        hint = tr("A newer file with the same name is compared with this one.")
        self._source = Field(tr("Name of the so&urce"), self.source, hint)
        grid.addWidget(self._source, 0, 0)
        grid.addWidget(Field(tr("&Licence"), self.licence, tr("Kept with each value that comes from here.")), 0, 1)
        grid.addWidget(Field(tr("Secto&r"), self.sector), 1, 0)
        self.states = SegmentedControl(
            [("prospect", tr("Prospects")), ("active", trc("outlets", "Customers"))], name=tr("New outlets are"))
        self.states.chosen.connect(lambda state: self._aimed(state=state))
        grid.addWidget(Field(tr("New outlets are"), self.states), 1, 1)
        self.country = QComboBox()
        for name, code in sorted((country(code), code) for code in import_settings.ZONES):
            self.country.addItem(name, code)
        self.country.activated.connect(lambda _: self._aimed(country=self.country.currentData()))
        hint = tr("Where a line does not say. Postcodes and telephones are read by it.")
        grid.addWidget(Field(tr("Cou&ntry"), self.country, hint), 2, 0)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        card.add(grid)
        whole = row(4)
        words = column(0.5)
        words.addWidget(Text(tr("The file is complete"), "body-medium"))
        words.addWidget(Text(
            tr("Outlets of this source that it no longer holds are then proposed as closed."), "caption", "muted",
            wrap=True))
        self.complete = Switch(tr("The file is complete"))
        self.complete.toggled.connect(lambda on: self._aimed(complete=on))
        whole.addLayout(words, 1)
        whole.addWidget(self.complete)
        card.add(whole)
        return card

    # what is shown

    def refresh(self) -> None:
        opened, mapping = self._desk.opened, self._desk.mapping
        if opened is None or mapping is None:
            return
        self._filling = True
        error = self._desk.error
        if error is not None:
            self.message.show_text(sentence(error), "danger")
        else:
            self.message.hide()
        self._show_file(opened)
        self._show_options(opened)
        _choose(self.coordinates, mapping.coordinates)
        if not self.source.hasFocus():
            self.source.setText(mapping.source)
        if self.licence.currentText() != mapping.licence and not self.licence.hasFocus():
            self.licence.setCurrentText(mapping.licence)
        self._show_aim()
        self._filling = False

    def _show_file(self, opened: Opened) -> None:
        clear_layout(self._icon)
        self._icon.addWidget(Sign(kind_icon(opened.kind), "accent", 28))
        self._name.set_whole(opened.file)
        self._about.setText(about(opened))
        clear_layout(self._notices)
        for notice in opened.notices:
            self._notices.addWidget(self._notice(notice))

    def _notice(self, notice: Notice) -> InlineMessage:
        """What was recognised, in a sentence; one click does it, or takes it back."""
        shown = InlineMessage(closable=False)
        words = sentence(CodedError(notice.code, **notice.params))
        coordinates = notice.change.get("coordinates")
        mapping = self._desk.mapping
        if coordinates is not None and mapping is not None:
            done = mapping.coordinates == coordinates
            act = (lambda: self._change({"coordinates": "wgs84"})) if done else (lambda: self._change(notice.change))
            verb = tr("Leave them as they are") if done else tr("Convert them")
            shown.show_message(Message(words, "success" if done else "warning", verb, act, 0))
        elif notice.done or not notice.change:
            shown.show_message(Message(words, "neutral", seconds=0))
        else:
            shown.show_message(Message(words, "warning", tr("Do so"), lambda: self._change(notice.change), 0))
        return shown

    def _show_options(self, opened: Opened) -> None:
        text, table = opened.kind == "csv", opened.needs_mapping
        self._table = table
        _fill(self.sheet, [(name, name) for name in opened.sheets], opened.options.sheet)
        _fill(self.encoding, _with([(code, code) for code in ENCODINGS], opened.options.encoding),
              opened.options.encoding)
        _fill(self.delimiter, _with([(delimiter_name(one), one) for one in DELIMITERS], opened.options.delimiter),
              opened.options.delimiter)
        rows = [(tr("There is none"), 0), *((tr("Line {n}", n=at), at) for at in range(1, HEADER_ROWS + 1))]
        _fill(self.header, rows, opened.options.header_row)
        _fill(self.coordinates, [(coordinates_name(code), code) for code in COORDINATES], None)
        shown = {
            "sheet": len(opened.sheets) > 1, "encoding": text, "delimiter": text,
            "header_row": opened.options.header_row is not None, "coordinates": table and opened.kind not in (
                "geojson", "gpkg"),
        }  # fmt: skip
        place = 0
        for key, field in self._fields.items():
            self._grid.removeWidget(field)
            field.setVisible(shown[key])
            if shown[key]:
                self._grid.addWidget(field, place // 2, place % 2)
                place += 1

    def _show_aim(self) -> None:
        aim = self._desk.aim
        if self.sector.count() == 0:
            mine = self._session.actor.sectors
            for sector in self._session.ask(outlets.sectors):
                if not mine or sector.id in mine:
                    self.sector.addItem(sector.name, sector.id)
        if aim.sector_id is None and self.sector.count():
            self._desk.set_aim(sector_id=self.sector.itemData(0))
            aim = self._desk.aim
        _choose(self.sector, aim.sector_id)
        usual = self._desk.country
        if self.country.findData(usual) < 0:
            self.country.addItem(country(usual), usual)
        _choose(self.country, usual)
        self.source.setReadOnly(not self._table)  # the open bases keep their names
        self.states.set_value(aim.state)
        self.complete.setChecked(aim.complete)

    def focus_first(self) -> None:
        if self.source.isReadOnly():
            self.sector.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.source.setFocus(Qt.FocusReason.OtherFocusReason)
        self.source.selectAll()

    # what is changed

    def _chose(self, key: str, value: Any) -> None:
        self._change({key: value})

    def _change(self, change: Any) -> None:
        options = {key: value for key, value in change.items() if key in OPTIONS}
        mapped = {key: value for key, value in change.items() if key in MAPPED}
        if mapped:
            self._desk.change_mapping(**mapped)
        if options:
            self._desk.set_options(**options)

    def _named(self, **names: str) -> None:
        if not self._filling:
            self._desk.change_mapping(**names)

    def _aimed(self, **aim: Any) -> None:
        if not self._filling:
            self._desk.set_aim(**aim)

    def commit(self) -> bool:
        """What stands in the fields holds now; ``False`` when something is missing, and says so there."""
        self._named(source=self.source.text().strip(), licence=self.licence.currentText().strip())
        missing = not self.source.text().strip()
        self._source.set_error(tr("Give the source a name, such as the supplier of the file.") if missing else "")
        if missing:
            self.focus_first()
        return not missing


Choices = Sequence[tuple[str, Any]]


def _with(choices: list[tuple[str, Any]], value: Any) -> list[tuple[str, Any]]:
    """The choices, and the one that holds when it is not among them."""
    known = any(one == value for _, one in choices)
    return choices if known or value is None else [(str(value), value), *choices]


def _fill(combo: QComboBox, choices: Choices, value: Any) -> None:
    if [combo.itemData(at) for at in range(combo.count())] != [one for _, one in choices]:
        combo.clear()
        for words, one in choices:
            combo.addItem(words, one)
    if value is not None:
        _choose(combo, value)


def _choose(combo: QComboBox, value: str | int | Id | None) -> None:
    for at in range(combo.count()):
        if combo.itemData(at) == value:
            combo.setCurrentIndex(at)
            return


