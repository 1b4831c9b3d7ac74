"""The last photos of the outlet: small pictures, deciphered in the background, large on a click."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractButton, QWidget

from fieldcrm.domain.submission import Photo
from fieldcrm.ui import icons, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.widgets import Dialog, FlowLayout, Text, painting, plain
from fieldcrm.ui.widgets.photos import LARGE as LARGEST
from fieldcrm.ui.widgets.photos import decode
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import day_time, number, tr

SHOWN = 12
WIDTH, HEIGHT = 112, 84
LARGE = 1100


class Thumbnail(QAbstractButton):
    """A photo, or where it would be while it is read, or when it is not on this device."""

    def __init__(self, photo: Photo, name: str, on_click: Callable[[], None]) -> None:
        super().__init__()
        self.photo = photo
        self._image: QPixmap | None = None
        self._missing = False
        self.setAccessibleName(name)
        self.setToolTip(plain(name))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(theme.pixels(WIDTH), theme.pixels(HEIGHT))
        self.clicked.connect(lambda: on_click())

    def set_image(self, image: QImage | None) -> None:
        self._missing = image is None
        self._image = None if image is None else QPixmap.fromImage(image)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painting.ground(painter, self.rect(), color.sunken, color.border)
        if self._image is not None:
            clip = QPainterPath()
            clip.addRoundedRect(self.rect(), theme.RADIUS, theme.RADIUS)
            painter.setClipPath(clip)
            spot = QRect(0, 0, self._image.width(), self._image.height())
            spot.moveCenter(self.rect().center())
            painter.drawPixmap(spot, self._image)
            painter.setClipping(False)
        else:
            side = theme.pixels(22)
            spot = QRect(0, 0, side, side)
            spot.moveCenter(self.rect().center())
            icons.paint(painter, "image-off" if self._missing else "image", spot, color.faint)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        painter.end()


class Photos(Section):
    def __init__(self, session: AppSession) -> None:
        super().__init__(tr("Photos"))
        self._session = session
        self.thumbnails: list[Thumbnail] = []
        self._shown: tuple[str, ...] = ()
        self._here: str | None = None

    def show_card(self, card: OutletCard, now: datetime) -> None:
        photos = card.photos[:SHOWN]
        names = tuple(photo.sha256 for photo in photos)
        self.title.set_count(number(len(card.photos)) if card.photos else "")
        if names == self._shown and self.thumbnails:
            return
        self._shown = names
        self.empty()
        self.thumbnails = []
        if not photos:
            self.say_nothing(tr("No photo yet."))
            return
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        for photo in photos:
            taken = day_time(photo.taken_at, card.outlet.zone) if photo.taken_at else tr("time not known")
            name = tr("Photo, {when}", when=taken)
            thumbnail = Thumbnail(photo, name, partial(self._enlarge, photo, name))
            self.thumbnails.append(thumbnail)
            flow.addWidget(thumbnail)
            self._read(thumbnail)
        self.content.addWidget(holder)

    def _read(self, thumbnail: Thumbnail) -> None:
        size, store, name = thumbnail.size(), self._session.photos, thumbnail.photo.sha256
        self._session.tasks.run(
            lambda: picture(store.get(name), size, fill=True), thumbnail.set_image, lambda _: thumbnail.set_image(None)
        )

    def _enlarge(self, photo: Photo, name: str) -> None:
        store = self._session.photos
        room = self.window().size()
        size = QSize(min(LARGE, round(room.width() * 0.85)), round(room.height() * 0.75))
        self._session.tasks.run(
            lambda: picture(store.get(photo.sha256), size, fill=False),
            lambda image: self._show_large(image, name),
            self._session.messages.error,
        )

    def _show_large(self, image: QImage | None, name: str) -> None:
        if image is None:
            self.saved.show_text(tr("This photo cannot be shown"), "warning")
            return
        dialog = Dialog(self, name)
        large = Text()
        large.setPixmap(QPixmap.fromImage(image))
        large.setAccessibleName(name)
        dialog.body.addWidget(large)
        dialog.add_button(tr("Close"), "secondary", 0)
        dialog.open()


def picture(content: bytes, size: QSize, *, fill: bool) -> QImage | None:
    """The picture scaled to fill, or to fit, ``size``; ``None`` when it is not one."""
    image = decode(content, LARGEST)
    if image.isNull():
        return None
    mode = Qt.AspectRatioMode.KeepAspectRatioByExpanding if fill else Qt.AspectRatioMode.KeepAspectRatio
    return image.scaled(size, mode, Qt.TransformationMode.SmoothTransformation)
