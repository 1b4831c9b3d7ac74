"""What is wrong with the outlets, and one key to mend it."""

from fieldcrm.ui.steward.quality.page import QualityPage

__all__ = ["QualityPage"]
