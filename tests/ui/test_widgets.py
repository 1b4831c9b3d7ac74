"""The widgets do what they promise, and the gallery shows them all in every theme."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from fieldcrm import resources
from fieldcrm.domain.errors import DomainError
from fieldcrm.ui import theme
from fieldcrm.ui.gallery import Gallery
from fieldcrm.ui.messages import Message
from fieldcrm.ui.palettes import PALETTES
from fieldcrm.ui.widgets import (
    Column,
    EmptyState,
    Field,
    InlineMessage,
    NumberField,
    PageModel,
    PageTable,
    SearchField,
    SegmentedControl,
    StateStack,
)


@dataclass(frozen=True)
class Row:
    id: int
    name: str


class Source:
    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, ids: Sequence[int]) -> list[Row]:
        self.asked.append(len(ids))
        return [Row(id, f"Outlet {id}") for id in reversed(ids) if id != 7]


@pytest.fixture
def pages(qapp: object) -> tuple[PageModel[Row], Source]:
    source = Source()
    columns: list[Column[Row]] = [Column("name", "Name", lambda row: row.name), Column("id", "Id", lambda r: str(r.id))]
    return PageModel(columns, source), source


def test_a_page_model_keeps_the_rules_of_qt(pages: tuple[PageModel[Row], Source], qtmodeltester: Any) -> None:
    model, _ = pages
    model.set_ids(list(range(250)))
    qtmodeltester.check(model)


def test_only_the_pages_that_are_shown_are_read(pages: tuple[PageModel[Row], Source]) -> None:
    model, source = pages
    model.set_ids(list(range(50_000)))
    assert model.rowCount() == 50_000 and source.asked == []
    assert model.row(49_950) == Row(49_950, "Outlet 49950")
    assert source.asked == [100]


def test_a_row_that_is_gone_leaves_its_line_empty(pages: tuple[PageModel[Row], Source]) -> None:
    model, _ = pages
    model.set_ids([6, 7, 8])
    assert model.row(1) is None and model.row(2) == Row(8, "Outlet 8")


def test_a_table_keeps_the_current_row_by_id_when_the_order_changes(
    pages: tuple[PageModel[Row], Source], qtbot: Any
) -> None:
    model, _ = pages
    table = PageTable(model, "Outlets")
    qtbot.addWidget(table)
    table.set_ids([1, 2, 3])
    assert table.select_id(3)
    table.set_ids([3, 2, 1])
    assert table.current_id() == 3 and table.currentIndex().row() == 0
    with qtbot.waitSignal(table.opened) as opened:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == [3]


def test_a_click_on_a_heading_asks_for_an_order(pages: tuple[PageModel[Row], Source], qtbot: Any) -> None:
    model, _ = pages
    table = PageTable(model, "Outlets")
    qtbot.addWidget(table)
    with qtbot.waitSignal(model.sort_requested) as asked:
        table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert asked.args == ["id", True]


def test_a_search_waits_for_the_last_key_and_escape_empties_it(qtbot: Any) -> None:
    field = SearchField("Search")
    qtbot.addWidget(field)
    heard: list[str] = []
    field.searched.connect(heard.append)
    qtbot.keyClicks(field, "alp")
    assert heard == []
    qtbot.waitUntil(lambda: heard == ["alp"])
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert heard == ["alp", ""]


def test_an_inline_message_undoes_once(qtbot: Any) -> None:
    line, undone = InlineMessage(), []
    qtbot.addWidget(line)
    line.show_message(Message("Saved", "success", "Undo", lambda: undone.append(1)))
    line._act()
    line._act()
    assert undone == [1] and not line.isVisible()


def test_a_field_says_what_is_wrong_to_eyes_and_ears(qtbot: Any) -> None:
    field = Field("&Phone", QLineEdit())
    qtbot.addWidget(field)
    field.set_error("This is not a phone number.")
    assert field.editor.accessibleName() == "Phone"
    assert field.editor.accessibleDescription() == "This is not a phone number."
    assert any(label.text() == "This is not a phone number." for label in field.findChildren(QLabel))
    field.set_error("")
    assert field.error() == ""


def test_arrows_move_a_segmented_control_and_stop_at_its_ends(qtbot: Any) -> None:
    control = SegmentedControl([("a", "A"), ("b", "B")], "a", "Period")
    qtbot.addWidget(control)
    chosen: list[str] = []
    control.chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(control, key)
    assert chosen == ["b"] and control.accessibleName() == "Period: B"


def test_a_number_field_shows_its_number(qtbot: Any) -> None:
    field = NumberField(0, 99, 12)
    qtbot.addWidget(field)
    field.resize(160, 36)
    field.show()
    assert field.lineEdit().width() > 100


def test_a_quick_answer_shows_no_skeleton_and_a_slow_one_does(qtbot: Any) -> None:
    content = QWidget()
    stack = StateStack(content)
    qtbot.addWidget(stack)
    stack.show_loading()
    stack.show_content()
    qtbot.wait(260)
    assert stack.currentWidget() is content
    stack.show_loading()
    qtbot.waitUntil(lambda: stack.currentWidget() is not content)
    stack.show_error(DomainError("outlet_unknown"), lambda: None)
    assert isinstance(stack.currentWidget(), EmptyState)


@pytest.mark.parametrize("name", PALETTES)
def test_the_gallery_is_drawn_in_every_theme(qtbot: Any, name: str) -> None:
    theme.apply(name)
    gallery = Gallery()
    qtbot.addWidget(gallery)
    gallery.resize(1280, 900)
    picture = gallery.grab().toImage()
    colors = {picture.pixel(x, y) for x in range(0, picture.width(), 7) for y in range(0, picture.height(), 7)}
    assert len(colors) > 40
    theme.apply("light")


def test_every_icon_that_is_named_is_there() -> None:
    named = re.compile(r'\b(?:icon|paint|set_icon|IconButton|Emblem|EmptyState)\((?:painter, )?"([a-z0-9-]+)"')
    sources = "\n".join(path.read_text("utf-8") for path in Path("fieldcrm").rglob("*.py"))
    called = set(named.findall(sources))
    assert called
    assert called - {path.stem for path in resources.path("icons").glob("*.svg")} == set()
