"""The visit screen: record a report by steps, look it over, send it."""

from fieldcrm.ui.visit.screen import VisitScreen

__all__ = ["VisitScreen"]
