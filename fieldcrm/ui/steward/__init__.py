"""The care of the outlet base: what is brought in, what is wrong with it, what is there twice."""

from fieldcrm.ui.steward.screen import StewardScreen

__all__ = ["StewardScreen"]
