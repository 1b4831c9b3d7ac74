"""Photos of a report: a strip of thumbnails, and a viewer that fills its page, with zoom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QEvent, QIODevice, QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QImageReader,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from fieldcrm.domain.submission import Photo
from fieldcrm.ui import icons, theme
from fieldcrm.ui.tasks import Tasks, alive
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.layouts import FlowLayout
from fieldcrm.ui.widgets.text import plain
from fieldcrm.words import size as file_size
from fieldcrm.words import tr

if TYPE_CHECKING:
    from fieldcrm.store.photos import PhotoStore

THUMB = QSize(132, 100)
LARGE = QSize(2400, 1800)  # enough to read a price label at full zoom
MAX_ZOOM = 6.0
# What a report may hold. Qt reads more by itself, SVG among it, which opens files that it names.
_FORMATS = frozenset({b"jpeg", b"png", b"webp"})


class PhotoLoader:
    """Reads and decodes photos in the pool; ``then(sha256, image)`` is called on the UI thread, if its owner lives."""

    def __init__(self, store: PhotoStore, tasks: Tasks) -> None:
        self._store, self._tasks = store, tasks

    def has(self, sha256: str) -> bool:
        return self._store.has(sha256)

    def load(self, sha256: str, size: QSize, then: Callable[[str, QImage], None]) -> None:
        """A photo that is missing or damaged gives a null image."""

        def arrive(image: QImage) -> None:
            if alive(then):
                then(sha256, image)

        self._tasks.run(lambda: decode(self._store.get(sha256), size), arrive, lambda error: arrive(QImage()))


def decode(content: bytes, size: QSize) -> QImage:
    """The picture in ``content`` the right way up, no larger than ``size``; a null image when it is none."""
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    if bytes(reader.format().data()) not in _FORMATS:
        return QImage()
    reader.setAutoTransform(True)
    whole = reader.size()
    if whole.isValid() and (whole.width() > size.width() or whole.height() > size.height()):
        reader.setScaledSize(whole.scaled(size, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


class PhotoThumb(QAbstractButton):
    """One photo, cropped to its frame, with a tick when headquarters has it."""

    def __init__(self, photo: Photo, loader: PhotoLoader, name: str) -> None:
        super().__init__()
        self.photo = photo
        self._image = QImage()
        self._here = loader.has(photo.sha256)
        self.setFixedSize(theme.pixels(THUMB.width()), theme.pixels(THUMB.height()))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        state = tr("received at headquarters") if photo.received else tr("not yet at headquarters")
        self.setAccessibleName(f"{name}, {state}")
        self.setToolTip(plain(f"{name} · {file_size(photo.size)} · {state}"))
        if self._here:
            loader.load(photo.sha256, self.size() * 2, self._arrived)

    def _arrived(self, sha256: str, image: QImage) -> None:
        self._image, self._here = image, not image.isNull()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        box = QRectF(self.rect())
        clip = QPainterPath()
        clip.addRoundedRect(box, theme.RADIUS, theme.RADIUS)
        painter.setClipPath(clip)
        painter.fillRect(box, QColor(color.sunken))
        if self._image.isNull():
            self._stand_in(painter)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(box, self._image, _cover(self._image.size(), self.size()))
        if self.underMouse() and not self._image.isNull():
            painter.fillRect(box, theme.qcolor("#000000", 0.18))
        painter.setClipping(False)
        if not self._image.isNull():
            self._receipt(painter)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        painter.end()

    def _stand_in(self, painter: QPainter) -> None:
        color = theme.current().color
        side = theme.pixels(22)
        spot = QRect((self.width() - side) // 2, self.height() // 2 - side, side, side)
        icons.paint(painter, "image" if self._here else "image-off", spot, color.faint)
        words = tr("Loading…") if self._here else tr("Not on this device")
        below = QRect(0, self.height() // 2 + theme.space(1), self.width(), theme.space(5))
        painting.words(painter, below, words, "micro", color.muted, Qt.AlignmentFlag.AlignHCenter)

    def _receipt(self, painter: QPainter) -> None:
        side = theme.pixels(20)
        spot = QRect(self.width() - side - theme.space(1.5), self.height() - side - theme.space(1.5), side, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.qcolor("#101210", 0.62))
        painter.drawEllipse(spot)
        inner = spot.adjusted(4, 4, -4, -4)
        icons.paint(painter, "check-check" if self.photo.received else "cloud-off", inner, "#ffffff")


def _cover(image: QSize, frame: QSize) -> QRectF:
    """The part of an image that fills the frame."""
    scaled = QSize(frame).scaled(image, Qt.AspectRatioMode.KeepAspectRatio)
    return QRectF((image.width() - scaled.width()) / 2, (image.height() - scaled.height()) / 2,
                  scaled.width(), scaled.height())


class PhotoStrip(QWidget):
    """Thumbnails that flow; ``opened(at)`` when one is pressed."""

    opened = Signal(int)

    def __init__(self, photos: Sequence[Photo], loader: PhotoLoader) -> None:
        super().__init__()
        self.thumbs: list[PhotoThumb] = []
        flow = FlowLayout(self, 2)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        for at, photo in enumerate(photos):
            thumb = PhotoThumb(photo, loader, tr("Photo {n}", n=at + 1))
            thumb.clicked.connect(lambda _=False, at=at: self.opened.emit(at))
            flow.addWidget(thumb)
            self.thumbs.append(thumb)


class PhotoViewer(QWidget):
    """One photo over the page: wheel or + and - zoom, drag moves, ← → change photo, Esc closes."""

    closed = Signal()

    def __init__(self, page: QWidget, photos: Sequence[Photo], loader: PhotoLoader, at: int) -> None:
        super().__init__(page)
        self._page, self._photos, self._loader, self._at = page, list(photos), loader, at
        self._image = QImage()
        self._zoom, self._shift = 1.0, QPointF()
        self._grip: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        page.installEventFilter(self)
        self.setGeometry(page.rect())
        self._show()
        self.show()
        self.raise_()
        self.setFocus()

    @property
    def at(self) -> int:
        return self._at

    @property
    def zoom(self) -> float:
        return self._zoom

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def _show(self) -> None:
        self._image, self._zoom, self._shift = QImage(), 1.0, QPointF()
        sha256 = self._photos[self._at].sha256
        self.setAccessibleName(tr("Photo {n} of {many}", n=self._at + 1, many=len(self._photos)))
        if self._loader.has(sha256):
            self._loader.load(sha256, LARGE, self._arrived)
        self.update()

    def _arrived(self, sha256: str, image: QImage) -> None:
        if sha256 == self._photos[self._at].sha256:
            self._image = image
            self.update()

    def go(self, step: int) -> None:
        to = min(max(self._at + step, 0), len(self._photos) - 1)
        if to != self._at:
            self._at = to
            self._show()

    def set_zoom(self, zoom: float) -> None:
        self._zoom = min(max(zoom, 1.0), MAX_ZOOM)
        if self._zoom == 1.0:
            self._shift = QPointF()
        self.update()

    def close_viewer(self) -> None:
        self._page.removeEventFilter(self)
        self.hide()
        self.closed.emit()
        self.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        if key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.close_viewer()
        elif key in steps:
            self.go(steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.set_zoom(self._zoom * 1.4)
        elif key == Qt.Key.Key_Minus:
            self.set_zoom(self._zoom / 1.4)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.set_zoom(self._zoom * (1.15 if event.angleDelta().y() > 0 else 1 / 1.15))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grip = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None and self._zoom > 1:
            self._shift += event.position() - self._grip
            self._grip = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._zoom == 1.0:
            self.close_viewer()
        self._grip = None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        painter.fillRect(self.rect(), theme.qcolor("#0b0d0c", 0.94))
        room = self.rect().adjusted(theme.space(6), theme.space(6), -theme.space(6), -theme.space(12))
        if self._image.isNull():
            here = self._loader.has(self._photos[self._at].sha256)
            words = tr("Loading…") if here else tr("This photo is not on this device.")
            painting.words(painter, room, words, "body", "#d8dcd9", Qt.AlignmentFlag.AlignHCenter)
        else:
            size = QSize(self._image.size()).scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio) * self._zoom
            frame = QRectF(0, 0, size.width(), size.height())
            frame.moveCenter(QPointF(room.center()) + self._shift)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(frame, self._image)
        foot = QRect(0, self.height() - theme.space(11), self.width(), theme.space(10))
        painting.words(painter, foot, self._caption(), "caption", "#d8dcd9", Qt.AlignmentFlag.AlignHCenter)
        painter.end()

    def _caption(self) -> str:
        place = tr("Photo {n} of {many}", n=self._at + 1, many=len(self._photos))
        return f"{place}  ·  {tr('← → next, + − zoom, Esc closes')}"
