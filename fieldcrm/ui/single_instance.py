"""One program for each profile: a second start raises the first, and passes on what it was asked to open."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

PATIENCE = 800  # ms
ENDING = 12_000  # ms: a run whose window was closed may wait this long for a server that hangs


class SingleInstance(QObject):
    """``claim`` says whether we are the first; ``asked`` carries what a later start wants opened (may be empty)."""

    asked = Signal(str)

    def __init__(self, profile: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        digest = hashlib.sha256(str(profile.resolve()).encode()).hexdigest()[:24]
        self._name = f"fieldcrm-{digest}"
        self._server: QLocalServer | None = None

    def claim(self, wish: str = "") -> bool:
        """Become the one instance of this profile; ``False`` when there is one, which was told ``wish``."""
        if self._tell(wish):
            return False
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        if not server.listen(self._name):
            # A killed program leaves its socket behind; nobody answered on it just now.
            QLocalServer.removeServer(self._name)
            if not server.listen(self._name):
                return True  # no local sockets here: better two windows than none
        server.newConnection.connect(self._hear)
        self._server = server
        return True

    def release(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _tell(self, wish: str) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(PATIENCE):
            return False
        socket.write(json.dumps({"open": wish}).encode() + b"\n")
        socket.waitForBytesWritten(PATIENCE)
        if not socket.waitForReadyRead(ENDING) and socket.state() == QLocalSocket.LocalSocketState.UnconnectedState:
            return False  # it was on its way out: told to come to the front, it would leave the person with no window
        socket.disconnectFromServer()
        return True

    def _hear(self) -> None:
        """One line comes right behind the connection: it is waited for here, so that no socket outlives this call."""
        assert self._server is not None
        socket = self._server.nextPendingConnection()
        if not socket.canReadLine():
            socket.waitForReadyRead(PATIENCE)
        try:
            wish = str(json.loads(bytes(socket.readLine().data())).get("open", ""))
        except (ValueError, AttributeError):
            wish = ""
        socket.write(b"ok\n")
        socket.waitForBytesWritten(PATIENCE)
        socket.close()
        socket.deleteLater()
        self.asked.emit(wish)
