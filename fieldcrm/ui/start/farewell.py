"""What is shown on a device that was shut out: three states of one page, and nothing of the data."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.widgets import Button, Text
from fieldcrm.words import tr, trn


def farewell_page(
    changes: int | None, trouble: BaseException | None, again: Callable[[], None], begin: Callable[[], None]
) -> QWidget:
    """``changes``: how many were handed over, once all is deleted; ``trouble``: why it could not be done yet."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.space(3))
    column.addStretch(2)
    if changes is not None:
        _done(column, changes, begin)
    else:
        column.addWidget(Text(tr("This device was shut out"), "title", wrap=True))
        if trouble is None:
            _under_way(column)
        else:
            _waiting(column, trouble, again)
    column.addStretch(3)
    return page


def _under_way(column: QVBoxLayout) -> None:
    column.addWidget(Text(
        tr("Your administrator has shut this device out. What you had not sent yet is being handed over to your "
           "manager; then everything is deleted here."),
        "body", "muted", wrap=True,
    ))
    bar = QProgressBar()
    bar.setRange(0, 0)
    bar.setTextVisible(False)
    column.addWidget(bar)


def _waiting(column: QVBoxLayout, trouble: BaseException, again: Callable[[], None]) -> None:
    column.addWidget(Text(
        tr("What you had not sent yet could not be handed over. It waits here, sealed: nothing can be read on this "
           "device any more, and nothing of it is lost."),
        "body", "muted", wrap=True,
    ))
    offline = isinstance(trouble, CodedError) and trouble.code == "server_unreachable"
    why = tr("Headquarters cannot be reached now.") if offline else sentence(trouble)
    column.addWidget(Text(why, "body", wrap=True))
    column.addLayout(_row(Button(tr("Try again"), "primary", "refresh-cw", again)))


def _done(column: QVBoxLayout, changes: int, begin: Callable[[], None]) -> None:
    column.addWidget(Text(tr("Everything was deleted on this device"), "title", wrap=True))
    said = (
        trn("{n} change that was not sent yet is with your manager, who decides about it.",
            "{n} changes that were not sent yet are with your manager, who decides about them.", changes)
        if changes
        else tr("There was nothing left to send.")
    )
    column.addWidget(Text(said, "body", wrap=True))
    column.addWidget(Text(
        tr("The database, the photos and the journal are gone, and their key with them."), "body", "muted", wrap=True
    ))
    column.addLayout(_row(Button(tr("Begin again"), "secondary", "log-in", begin)))


def _row(button: Button) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(button)
    row.addStretch(1)
    return row
