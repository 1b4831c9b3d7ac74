"""The outlet card: what to know before going in, and everything else below it."""

from fieldcrm.ui.outlet.screen import OutletScreen

__all__ = ["OutletScreen"]
