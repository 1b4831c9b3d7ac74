"""The third step: what each column becomes, with the guess, how sure it is, and what is still needed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from fieldcrm.domain.catalogue import OUTLET_STATES, SEGMENTS, STORE_TYPES
from fieldcrm.ui import labels, theme
from fieldcrm.ui.messages import Message, sentence
from fieldcrm.ui.steward.imports.columns_table import ColumnsTable
from fieldcrm.ui.steward.imports.desk import ImportDesk
from fieldcrm.ui.steward.imports.words import target_name
from fieldcrm.ui.widgets import Badge, Button, Card, FlowLayout, InlineMessage, SectionTitle, Text, clear_layout, column
from fieldcrm.usecases import feeds
from fieldcrm.words import tr, trn

WORDS_SHOWN = 12  # of a field: the commonest
LOW, LOWEST = 460, 300  # pixels of height


class ColumnsStep(QWidget):
    """Nothing is lost by a wrong choice: the check that follows says what would become of every row."""

    def __init__(self, desk: ImportDesk) -> None:
        super().__init__()
        self._desk = desk
        self._words: dict[str, list[str]] = {}  # field -> words of the file that were not known, as they are written
        self._words_of: object = None
        lines = column(3)
        self.setLayout(lines)
        self.remembered = InlineMessage(closable=False)
        lines.addWidget(self.remembered)
        self._needed_holder = QWidget()
        self._needed = FlowLayout(self._needed_holder, 2)
        lines.addWidget(self._needed_holder)
        self.problem = InlineMessage(closable=False)
        lines.addWidget(self.problem)
        self.table = ColumnsTable()
        self.table.chosen.connect(desk.set_target)
        lines.addWidget(self.table, 1)
        self._left_out = Text("", "caption", "muted", wrap=True)
        lines.addWidget(self._left_out)
        self._translation = Card(padding=4, spacing=2)
        self._title = SectionTitle(tr("Words of the file that are not known"), style="body-strong")
        self.fold_button = Button("", "quiet", on_click=self._fold)
        self._title.add(self.fold_button)
        self._translation.add(self._title)
        self._folded = True  # in a low place: the words take the room of the table, or the table that of the words
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.space(3))
        self._grid.setVerticalSpacing(theme.space(1.5))
        self._words_holder = QWidget()
        self._words_holder.setLayout(self._grid)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._translation.add(self._words_holder)
        self.choices: dict[tuple[str, str], QComboBox] = {}
        lines.addWidget(self._translation)

    def refresh(self) -> None:
        desk = self._desk
        if desk.opened is None or desk.mapping is None:
            return
        self.table.show_file(desk.opened, desk.mapping, desk.own, desk.chosen)
        if desk.remembered:
            self.remembered.show_message(Message(
                tr("The columns are as you settled them for such a file before."), "accent", tr("Guess anew"),
                desk.forget_mapping, 0))
        else:
            self.remembered.hide()
        self._show_needed(desk.mapping.targets)
        problems = desk.problems()
        if problems:
            self.problem.show_text(sentence(problems[0]), "danger")
        else:
            self.problem.hide()
        left = sum(not target for target in desk.mapping.targets)
        self._left_out.setText(trn("{n} column is left out.", "{n} columns are left out.", left) if left else "")
        self._show_words()

    def _show_needed(self, targets: Sequence[str]) -> None:
        """What an outlet needs, and what makes the import worth more."""
        have = set(targets)
        placed = {"lat", "lon"} <= have or "position" in have
        wanted = [
            (tr("Name"), "name" in have, True),
            (tr("Position"), placed, False),
            (tr("Address"), bool(have & {"address", "street", "city"}), False),
            (tr("Type of store"), "store_type" in have, False),
            (tr("Key of the source"), "reference" in have, False),
        ]
        clear_layout(self._needed)
        for words, there, required in wanted:
            tone = "success" if there else "danger" if required else "neutral"
            said = words if there else tr("{what}: needed", what=words) if required else tr("{what}: none", what=words)
            badge = Badge(said, tone)
            if words == wanted[-1][0]:
                badge.setToolTip(tr("With it a newer file is compared outlet by outlet."))
            self._needed.addWidget(badge)

    def _show_words(self) -> None:
        """Words of types, states and segments that stand for none of ours: a person says which."""
        desk = self._desk
        assert desk.opened is not None and desk.mapping is not None
        if self._words_of != (id(desk.opened), desk.mapping.targets):
            self._words_of = (id(desk.opened), desk.mapping.targets)
            self._words = {
                field: list(feeds.unknown_words(desk.opened, desk.mapping, field))
                for field in feeds.TRANSLATED if field in desk.mapping.targets
            }  # fmt: skip
            self._fill_words()
        self._arrange()

    def _fold(self) -> None:
        self._folded = not self._folded
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        count = sum(len(words) for words in self._words.values())
        low = self.height() < theme.pixels(LOW)
        room = self.height() >= theme.pixels(LOWEST)
        self._needed_holder.setVisible(room)
        self._left_out.setVisible(room and bool(self._left_out.text()))
        self._translation.setVisible(count > 0)
        self._title.set_count(str(count) if count else "")
        self.fold_button.setVisible(low)
        self.fold_button.setText(tr("Translate") if self._folded else tr("Back to the columns"))
        self._words_holder.setVisible(not (low and self._folded))
        self.table.setVisible(not low or self._folded or not count)

    def _fill_words(self) -> None:
        clear_layout(self._grid)
        self.choices.clear()
        desk = self._desk
        assert desk.mapping is not None
        place = 0
        for field, words in self._words.items():
            for word in words[:WORDS_SHOWN]:
                combo = QComboBox()
                combo.addItem(tr("Leave empty"), "")
                for code, name in _ours(field):
                    combo.addItem(name, code)
                known = desk.mapping.words.get(field, {}).get(feeds.folded(word), "")
                combo.setCurrentIndex(max(combo.findData(known), 0))
                combo.setAccessibleName(tr("“{word}” as {field}", word=word, field=target_name(field)))
                combo.activated.connect(
                    lambda _, field=field, word=word, combo=combo: desk.set_word(field, word, combo.currentData()))
                at, side = place // 2, 2 * (place % 2)
                said = Text(tr("{field} “{word}”", field=target_name(field), word=word), "body", wrap=True)
                self._grid.addWidget(said, at, side, Qt.AlignmentFlag.AlignVCenter)
                self._grid.addWidget(combo, at, side + 1)
                self.choices[field, word] = combo
                place += 1
        for side in range(4):
            self._grid.setColumnStretch(side, 1)

    def focus_first(self) -> None:
        """The column that needs it most: the first that nobody is sure of."""
        desk = self._desk
        combos = self.table.targets.combos
        if not combos or desk.opened is None or desk.mapping is None:
            return
        unsure = [at for at, target in enumerate(desk.mapping.targets)
                  if target and at not in desk.chosen and desk.opened.confidence[at] < 0.55]
        combos[unsure[0] if unsure else 0].setFocus(Qt.FocusReason.OtherFocusReason)


def _ours(field: str) -> list[tuple[str, str]]:
    if field == "store_type":
        return [(code, labels.store_type(code)) for code in STORE_TYPES]
    if field == "state":
        return [(code, labels.outlet_state(code)) for code in OUTLET_STATES]
    return [(code, labels.segment(code)) for code in SEGMENTS if code]
