"""Between the supervisor's thread and the screens: state and changes arrive on the UI thread, states run together."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QNetworkInformation

from fieldcrm.domain.changes import Changes
from fieldcrm.ui import preferences as prefs
from fieldcrm.ui.appsession import AppSession
from fieldcrm.usecases.link import PhotoRule

_PAID_BY_VOLUME = (QNetworkInformation.TransportMedium.Cellular, QNetworkInformation.TransportMedium.Bluetooth)


class SyncRelay(QObject):
    """``state_changed`` and ``rows_changed`` may be called from any thread."""

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._session = session
        self._lock = threading.Lock()
        self._told = False
        session.preferences.changed.connect(self._on_preference)
        if QNetworkInformation.loadDefaultBackend():
            network = QNetworkInformation.instance()
            network.reachabilityChanged.connect(self._on_network)
            network.isMeteredChanged.connect(lambda *_: self._tell_link())
            network.transportMediumChanged.connect(lambda *_: self._tell_link())

    def watch(self) -> None:
        """Tell the supervisor, which is there by now, what kind of network there is."""
        self._tell_link()

    def _tell_link(self) -> None:
        if not QNetworkInformation.loadDefaultBackend():
            return
        network = QNetworkInformation.instance()
        if self._session.sync is not None:
            by_phone = network.transportMedium() in _PAID_BY_VOLUME
            self._session.sync.network(metered=network.isMetered() or by_phone)

    def state_changed(self) -> None:
        with self._lock:
            if self._told:
                return
            self._told = True
        self._session.tasks.post(self._tell)

    def rows_changed(self, changes: Changes) -> None:
        self._session.tasks.post(lambda: self._session.announce(changes))

    def _tell(self) -> None:
        with self._lock:
            self._told = False
        self._session.sync_changed.emit()

    def _on_preference(self, name: str) -> None:
        sync = self._session.sync
        if name == prefs.AUTO_SYNC and sync is not None:
            sync.set_automatic(self._session.preferences.auto_sync)
        elif name == prefs.PHOTO_RULE and sync is not None:
            sync.set_photo_rule(PhotoRule(self._session.preferences.photo_rule))

    def _on_network(self, reachability: QNetworkInformation.Reachability) -> None:
        back = reachability == QNetworkInformation.Reachability.Online
        if back and self._session.sync is not None:
            self._session.sync.network_back()
