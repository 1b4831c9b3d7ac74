"""The rep's day: the stores to visit in order, on a list and on a map, each with its reason."""

from fieldcrm.ui.today.screen import TodayScreen

__all__ = ["TodayScreen"]
