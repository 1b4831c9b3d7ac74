"""Words on the screen: one label class for the type scale, and the title of a section."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QTabBar, QWidget

from fieldcrm.ui import theme


def plain(text: str) -> str:
    """``text`` for a tool tip, which has no plain format: Qt would draw HTML in a name, and open the files it names."""
    return escape(text).replace("\n", "<br>") if "<" in text else text  # without "<" it is plain to Qt too


class Text(QLabel):
    """A label in a font of the type scale. ``tone``: ``""``, ``muted``, ``faint``, ``danger`` or ``accent``."""

    def __init__(self, text: str = "", style: str = "body", tone: str = "", *, wrap: bool = False) -> None:
        super().__init__(text)
        self.setFont(theme.font(style, figures=style in ("figure", "display")))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        if tone:
            self.setProperty("kind", tone)

    def set_tone(self, tone: str) -> None:
        theme.set_kind(self, tone)


class ElidedText(QLabel):
    """One line that shortens itself with “…” instead of pushing its neighbours; the whole is in the tool tip."""

    def __init__(self, text: str = "", style: str = "body", tone: str = "") -> None:
        super().__init__()
        self._style = style
        self._whole = ""
        self.setFont(theme.font(style))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if tone:
            self.setProperty("kind", tone)
        self.set_whole(text)

    def set_whole(self, text: str) -> None:
        self._whole = text
        self.setAccessibleName(text)
        self._fit()

    def whole(self) -> str:
        return self._whole

    def resizeEvent(self, event: object) -> None:
        self._fit()

    def _fit(self) -> None:
        shown = theme.metrics(self._style).elidedText(self._whole, Qt.TextElideMode.ElideRight, max(self.width(), 20))
        self.setText(shown)
        self.setToolTip(plain(self._whole) if shown != self._whole else "")


class SectionTitle(QWidget):
    """A heading with a faint count beside it, and room for actions at the right (``add``)."""

    def __init__(self, text: str, count: str = "", style: str = "heading") -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.space(2))
        self.title = Text(text, style)
        self._count = Text(count, "body", "faint")
        self._row.addWidget(self.title)
        self._row.addWidget(self._count)
        self._row.addStretch(1)
        self._count.setVisible(bool(count))

    def set_count(self, count: str) -> None:
        self._count.setText(count)
        self._count.setVisible(bool(count))

    def add(self, widget: QWidget) -> None:
        self._row.addWidget(widget)


class KeyCap(QLabel):
    """A key or a chord of keys, drawn as a cap."""

    def __init__(self, keys: str) -> None:
        super().__init__(keys)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font("micro"))
        self.setProperty("kind", "keycap")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


class Tabs(QTabBar):
    """Tabs as words with a line under the one in front."""

    def __init__(self, *titles: str) -> None:
        super().__init__()
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        for title in titles:
            self.addTab(title)
