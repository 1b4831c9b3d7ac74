"""A step of the form that is not an audit: its questions as fields on a card, with groups and repeats inside."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from fieldcrm.forms.model import Group, Repeat
from fieldcrm.ui.visit.grid_page import GridPage
from fieldcrm.ui.visit.questions import QuestionField
from fieldcrm.ui.visit.recording import Recording
from fieldcrm.ui.widgets import Button, Card, ScrollPage, SectionTitle, column
from fieldcrm.words import tr


class GroupPage(ScrollPage):
    """``path`` is that of a group, or of one question that stands alone."""

    def __init__(self, recording: Recording, path: str) -> None:
        super().__init__(width=720, margin=0, spacing=4)
        self.recording, self.path = recording, path
        self.fields: dict[str, QuestionField] = {}
        self._repeats: dict[str, QVBoxLayout] = {}
        self._groups: dict[str, QWidget] = {}
        card = Card(padding=6, spacing=5)
        self._fill(card.body, path)
        self.body.addWidget(card)
        self.body.addStretch(1)
        recording.answered.connect(self._answered)

    # building

    def _fill(self, layout: QVBoxLayout, path: str) -> None:
        item = self.recording.instance.item(path)
        if not isinstance(item, Group):
            self._question(layout, path)
            return
        for child in self.recording.instance.children(path):
            inner = self.recording.instance.item(child)
            if isinstance(inner, Repeat):
                self._repeat(layout, child)
            elif isinstance(inner, Group):
                self._group(layout, child)
            else:
                self._question(layout, child)

    def _question(self, layout: QVBoxLayout, path: str) -> None:
        field = QuestionField(self.recording, path, self)
        self.fields[path] = field
        layout.addWidget(field)

    def _group(self, layout: QVBoxLayout, path: str) -> None:
        holder = QWidget(self)
        inner = column(4)
        inner.addWidget(SectionTitle(self.recording.instance.label(path)))
        self._fill(inner, path)
        holder.setLayout(inner)
        holder.setVisible(self.recording.instance.relevant(path))
        self._groups[path] = holder
        layout.addWidget(holder)

    def _repeat(self, layout: QVBoxLayout, path: str) -> None:
        holder = QWidget()
        rows = column(3)
        self._repeats[path] = rows
        for row in self.recording.instance.rows(path):
            rows.addWidget(self._row(path, row))
        outer = column(3)
        label = self.recording.say_label(path)
        outer.addWidget(SectionTitle(label))
        outer.addLayout(rows)
        outer.addWidget(Button(tr("Add: {what}", what=label), "secondary", "plus", lambda: self._add(path)))
        holder.setLayout(outer)
        layout.addWidget(holder)

    def _row(self, path: str, row: str) -> Card:
        card = Card(padding=4, spacing=4)
        self._fill(card.body, row)
        card.add(Button(tr("Remove"), "ghost", "trash-2", lambda: self._remove(card, row)))
        return card

    def _add(self, path: str) -> None:
        row = self.recording.add_row(path)
        self._repeats[path].addWidget(self._row(path, row))

    def _remove(self, card: Card, row: str) -> None:
        for path in [path for path in self.fields if path.startswith(row + "/")]:
            del self.fields[path]
        card.hide()
        card.deleteLater()
        self.recording.remove_row(row)

    # living

    def _answered(self, paths: object) -> None:
        # Labels quote answers, and rules reach across groups: a page is small, so all of it is looked at.
        for path, holder in self._groups.items():
            if self.recording.instance.has(path):
                holder.setVisible(self.recording.instance.relevant(path))
        for field in self.fields.values():
            field.look_again()

    def be_strict(self) -> None:
        for field in self.fields.values():
            field.be_strict()

    def show_answer(self, path: str) -> bool:
        """Bring an answer into view with the cursor in it."""
        field = self.fields.get(path)
        if field is None:
            return False
        self.ensureWidgetVisible(field)
        if field.editor is not None:
            field.editor.focus_here()
        return True

    def start(self) -> None:
        first = next((f for f in self.fields.values() if f.editor is not None and f.isVisibleTo(self)), None)
        if first is not None and first.editor is not None:
            first.editor.focus_here()


Page = GridPage | GroupPage
