"""What a person likes, kept in the profile folder: looks, language, window. Business settings are in the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from fieldcrm import words

THEME, TEXT_SIZE, LANGUAGE = "look/theme", "look/text_size", "look/language"
ONLINE_MAP, ONLINE_TILES, PHOTO_PIXELS, AUTO_SYNC = "map/online", "map/tiles_url", "photo/pixels", "sync/automatic"
PHOTO_RULE, PAUSED_UNTIL = "sync/photos", "sync/paused_until"
PHOTO_RULES = ("auto", "always", "asked")
KEYS = "keys/own"
PHOTO_SIZES = (1280, 1600, 2048, 2560)  # pixels of the longer side


class Preferences(QObject):
    """One typed wrapper over an INI file in the profile folder; ``changed`` names the key."""

    changed = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self._settings = QSettings(str(folder / "preferences.ini"), QSettings.Format.IniFormat)

    @property
    def theme(self) -> str:
        return str(self._settings.value(THEME, "system"))

    @theme.setter
    def theme(self, mode: str) -> None:
        self._put(THEME, mode)

    @property
    def text_size(self) -> int:
        """In per cent of the type scale."""
        return self._number(TEXT_SIZE, 100)

    @text_size.setter
    def text_size(self, per_cent: int) -> None:
        self._put(TEXT_SIZE, per_cent)

    @property
    def language(self) -> str:
        """The chosen language, else the one of this computer."""
        return str(self._settings.value(LANGUAGE, "") or words.system_language())

    @language.setter
    def language(self, code: str) -> None:
        self._put(LANGUAGE, code)

    @property
    def online_map(self) -> bool:
        """Whether the map may ask the network for tiles: off until the person turns it on."""
        return self._flag(ONLINE_MAP, False)

    @online_map.setter
    def online_map(self, on: bool) -> None:
        self._put(ONLINE_MAP, on)

    @property
    def online_tiles_url(self) -> str:
        """The tile server of the organisation, with ``{z}/{x}/{y}``; empty when none is set."""
        return str(self._settings.value(ONLINE_TILES, "") or "")

    @online_tiles_url.setter
    def online_tiles_url(self, url: str) -> None:
        self._put(ONLINE_TILES, url)

    @property
    def photo_pixels(self) -> int:
        """The longer side a photo is reduced to."""
        return self._number(PHOTO_PIXELS, 1600)

    @photo_pixels.setter
    def photo_pixels(self, pixels: int) -> None:
        self._put(PHOTO_PIXELS, pixels)

    @property
    def auto_sync(self) -> bool:
        return self._flag(AUTO_SYNC, True)

    @auto_sync.setter
    def auto_sync(self, on: bool) -> None:
        self._put(AUTO_SYNC, on)

    @property
    def paused_until(self) -> datetime | None:
        """When a pause of an hour ends; ``None`` without one."""
        kept = self._number(PAUSED_UNTIL, 0)
        return datetime.fromtimestamp(kept, UTC) if 0 < kept < 1 << 33 else None

    @paused_until.setter
    def paused_until(self, until: datetime | None) -> None:
        self._put(PAUSED_UNTIL, 0 if until is None else round(until.timestamp()))

    @property
    def photo_rule(self) -> str:
        """When photos travel by themselves: a value of ``PhotoRule``."""
        kept = str(self._settings.value(PHOTO_RULE, PHOTO_RULES[0]))
        return kept if kept in PHOTO_RULES else PHOTO_RULES[0]

    @photo_rule.setter
    def photo_rule(self, rule: str) -> None:
        self._put(PHOTO_RULE, rule)

    @property
    def own_keys(self) -> dict[str, str]:
        """Shortcuts the person has changed, by action id."""
        return dict(self.json(KEYS, {}))

    @own_keys.setter
    def own_keys(self, keys: dict[str, str]) -> None:
        self.set_json(KEYS, keys)

    def state(self, name: str) -> QByteArray:
        """A window's geometry, a header's or a splitter's state; empty when none is kept."""
        return cast(QByteArray, self._settings.value(f"state/{name}", QByteArray()))

    def set_state(self, name: str, state: QByteArray) -> None:
        self._settings.setValue(f"state/{name}", state)

    def json(self, name: str, default: Any) -> Any:
        """A small value of a screen (chosen columns, last filter)."""
        kept = self._settings.value(name, "")
        try:
            return json.loads(str(kept)) if kept else default
        except ValueError:
            return default

    def set_json(self, name: str, value: Any) -> None:
        self._put(name, json.dumps(value, ensure_ascii=False))

    def save(self) -> None:
        self._settings.sync()

    def _put(self, name: str, value: Any) -> None:
        if self._settings.value(name) != value:
            self._settings.setValue(name, value)
            self.changed.emit(name)

    def _flag(self, name: str, default: bool) -> bool:
        return str(self._settings.value(name, default)).lower() == "true"

    def _number(self, name: str, default: int) -> int:
        try:
            return int(str(self._settings.value(name, default)))
        except ValueError:
            return default
