"""Outlets: find any outlet as you type, see what matters beside the list, enter a new one."""

from fieldcrm.ui.outlets.screen import OutletsScreen

__all__ = ["OutletsScreen"]
