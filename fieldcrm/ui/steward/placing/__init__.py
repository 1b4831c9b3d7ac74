"""Outlets that are not on the map: who waits, who is in doubt, and who must be placed by hand."""

from fieldcrm.ui.steward.placing.page import PlacingPage

__all__ = ["PlacingPage"]
