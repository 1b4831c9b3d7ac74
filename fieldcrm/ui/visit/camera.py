"""A camera of this computer, where there is one. QtMultimedia is loaded only when it is asked for."""

from __future__ import annotations

import logging
import sys
from functools import cache
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.widgets import Button, row
from fieldcrm.words import tr

log = logging.getLogger(__name__)


@cache
def camera_there() -> bool:
    """Whether a picture can be taken here; looked for once."""
    if sys.platform.startswith("linux") and not any(Path("/dev").glob("video*")):
        return False  # asking QtMultimedia takes a second, and there is nothing to ask about
    try:
        from PySide6.QtMultimedia import QMediaDevices
    except ImportError as error:  # the system's sound library is missing: no camera then
        log.info("no multimedia on this computer: %s", error)
        return False
    return bool(QMediaDevices.videoInputs())


class Camera(QDialog):
    """The view of the first camera; ``taken(bytes)`` for each picture, as JPEG."""

    taken = Signal(bytes)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        from PySide6.QtMultimedia import QCamera, QImageCapture, QMediaCaptureSession
        from PySide6.QtMultimediaWidgets import QVideoWidget

        self.setWindowTitle(tr("Take a photo"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(theme.pixels(760), theme.pixels(560))
        self._camera = QCamera(self)
        self._capture = QImageCapture(self)
        self._session = QMediaCaptureSession(self)
        view = QVideoWidget()
        self._session.setCamera(self._camera)
        self._session.setImageCapture(self._capture)
        self._session.setVideoOutput(view)
        self._capture.imageCaptured.connect(lambda _id, image: self._arrived(image))
        layout = QVBoxLayout(self)
        layout.addWidget(view, 1)
        line = row(2)
        line.addStretch(1)
        line.addWidget(Button(tr("Done"), "secondary", on_click=self.close))
        shutter = Button(tr("Take"), "primary", "camera", self._capture.capture)
        line.addWidget(shutter)
        layout.addLayout(line)
        self._camera.start()
        shutter.setFocus()

    def _arrived(self, image: QImage) -> None:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        if image.save(buffer, "JPEG", 95):  # type: ignore[call-overload]  # the stubs ask for bytes, Qt for text
            self.taken.emit(bytes(buffer.data().data()))

    def closeEvent(self, event: object) -> None:
        self._camera.stop()
