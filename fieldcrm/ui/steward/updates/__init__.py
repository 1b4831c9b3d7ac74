"""What newer extracts say otherwise, for a person to decide."""

from fieldcrm.ui.steward.updates.page import UpdatesPage

__all__ = ["UpdatesPage"]
