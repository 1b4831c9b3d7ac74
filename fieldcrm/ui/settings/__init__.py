"""Settings: a list of pages at the left, everything applies at once."""

from fieldcrm.ui.settings.screen import SettingsScreen

__all__ = ["SettingsScreen"]
