"""Photos of one question: thumbnails, and every way to add one: a file, the clipboard, a drop, a camera."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QMimeData, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QImage, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QWidget

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.submission import Photo
from fieldcrm.ui import theme
from fieldcrm.ui.visit.camera import Camera, camera_there
from fieldcrm.ui.visit.recording import Recording
from fieldcrm.ui.widgets import Button, FlowLayout, IconButton, Text, column, painting
from fieldcrm.ui.widgets.photos import PhotoLoader, PhotoThumb, PhotoViewer
from fieldcrm.words import tr, trn

log = logging.getLogger(__name__)
MAX_AT_ONCE = 20
_PATTERNS = "*.jpg *.jpeg *.png *.webp *.heic *.tif *.tiff *.bmp"


class _Frame(PhotoThumb):
    """A thumbnail that can be taken away: the cross, or Delete."""

    def __init__(self, photo: Photo, loader: PhotoLoader, name: str, remove: Callable[[], None]) -> None:
        super().__init__(photo, loader, name)
        self._remove = remove
        self.cross = IconButton("x", tr("Remove {name}", name=name), remove, tone="text", size=14)
        self.cross.setParent(self)
        self.cross.setStyleSheet(
            f"QToolButton {{ background: {theme.current().color.raised}; border-radius: {theme.pixels(11)}px;"
            f" min-width: {theme.pixels(20)}px; min-height: {theme.pixels(20)}px; padding: 0; }}")
        side = theme.pixels(24)
        self.cross.setGeometry(self.width() - side - theme.space(1), theme.space(1), side, side)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._remove()
            return
        super().keyPressEvent(event)


class PhotoField(QWidget):
    """The answer to a photo question at ``path``."""

    def __init__(self, recording: Recording, path: str, page: QWidget) -> None:
        super().__init__()
        self._recording, self.path, self._page = recording, path, page
        self._loader = PhotoLoader(recording.session.photos, recording.session.tasks)
        self._over = False
        self._coming = 0
        self._choosing: Callable[[QWidget], Sequence[str]] = _choose_files
        self.frames: list[_Frame] = []
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setSizePolicy(policy)
        layout = column(2.5, 4)
        self._strip = QWidget()
        strip_policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        strip_policy.setHeightForWidth(True)
        self._strip.setSizePolicy(strip_policy)
        self._flow = FlowLayout(self._strip, 2)
        layout.addWidget(self._strip)
        layout.addWidget(self._buttons())
        self._hint = Text("", "caption", "faint", wrap=True)
        layout.addWidget(self._hint)
        self.setLayout(layout)
        recording.photos_changed.connect(self._changed)
        self._rebuild()

    def _buttons(self) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        holder.setSizePolicy(policy)
        flow.addWidget(Button(tr("Add photos…"), "secondary", "image", self.choose))
        flow.addWidget(Button(tr("Paste"), "ghost", "copy", self.paste))
        if camera_there():
            flow.addWidget(Button(tr("Take a photo"), "ghost", "camera", self.take))
        return holder

    # adding

    def choose(self) -> None:
        self.add_files(self._choosing(self))

    def paste(self) -> None:
        """The picture in the clipboard, or the files copied there."""
        if not self._add_mime(QGuiApplication.clipboard().mimeData()):
            self._recording.failed.emit(DomainError("clipboard_without_photo"))

    def take(self) -> None:
        camera = Camera(self.window())
        camera.taken.connect(self.add)
        camera.open()

    def add_files(self, paths: Sequence[str]) -> None:
        if len(paths) > MAX_AT_ONCE:
            self._recording.failed.emit(DomainError("photos_too_many_at_once", most=MAX_AT_ONCE, chosen=len(paths)))
        for path in list(paths)[:MAX_AT_ONCE]:
            try:
                data = Path(path).read_bytes()
            except OSError as error:
                log.info("a photo could not be read: %s", error)
                self._recording.failed.emit(DomainError("photo_unreadable", name=Path(path).name))
                continue
            self.add(data)

    def add(self, data: bytes) -> None:
        self._coming += 1
        self._say()
        self._recording.add_photo(self.path, data)

    def _add_mime(self, mime: QMimeData | None) -> bool:
        if mime is None:
            return False
        files = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
        if files:
            self.add_files(files)
            return True
        image = mime.imageData()
        if isinstance(image, QImage) and not image.isNull():
            self.add(_png(image))
            return True
        return False

    # showing

    def _changed(self, path: str) -> None:
        if path in (self.path, ""):
            self._coming = max(0, self._coming - 1)
            self._rebuild()

    def _rebuild(self) -> None:
        names = self._recording.photos(self.path)
        if [frame.photo.sha256 for frame in self.frames] != names:
            for frame in self.frames:
                self._flow.removeWidget(frame)
                frame.hide()
                frame.deleteLater()
            self.frames = [self._frame(at, name) for at, name in enumerate(names)]
            for frame in self.frames:
                self._flow.addWidget(frame)
                frame.show()
        self._strip.setVisible(bool(names))
        self._say()
        self.updateGeometry()

    def _frame(self, at: int, sha256: str) -> _Frame:
        photo = draft_photo(self._recording, self.path, sha256)
        name = tr("Photo {n}", n=at + 1)
        frame = _Frame(photo, self._loader, name, lambda: self._recording.remove_photo(self.path, sha256))
        frame.clicked.connect(lambda _=False: self._open(at))
        return frame

    def _open(self, at: int) -> None:
        viewer = PhotoViewer(self._page, [frame.photo for frame in self.frames], self._loader, at)
        viewer.closed.connect(self.setFocus)

    def _say(self) -> None:
        if self._coming:
            self._hint.setText(trn("Preparing {n} photo…", "Preparing {n} photos…", self._coming))
        else:
            hint = tr("Or drop photos here. Time and place are kept, everything else in the file is left out.")
            self._hint.setText(hint)

    # drag and drop, keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_V and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.paste()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Space):
            self.choose()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        mime = event.mimeData()
        if mime.hasImage() or any(url.isLocalFile() for url in mime.urls()):
            self._over = True
            self.update()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._over = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._over = False
        self.update()
        if self._add_mime(event.mimeData()):
            event.acceptProposedAction()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        fill = color.accent_soft if self._over else color.canvas
        painting.ground(painter, self.rect(), fill, color.accent if self._over else color.border, theme.RADIUS)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        painter.end()


def draft_photo(recording: Recording, path: str, sha256: str) -> Photo:
    """A photo of a draft, as the widgets for photos of reports know it."""
    known, draft = recording.known_photos.get(sha256), recording.opened.draft
    if known is None:
        return Photo(draft.id, draft.id, draft.visit_id, path, sha256, 0, "image/jpeg")
    return Photo(known.id, draft.id, draft.visit_id, path, sha256, known.size, known.mime, known.taken_at,
                 known.width, known.height)


def _choose_files(parent: QWidget) -> Sequence[str]:
    """The system's file dialog; tests replace it."""
    files, _ = QFileDialog.getOpenFileNames(parent, tr("Add photos"), "", f"{tr('Photos')} ({_PATTERNS})")
    return files


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs ask for bytes, Qt for text
    return bytes(buffer.data().data())

