"""The Sync Centre: what is here, what is there, what needs a decision, and what happened."""

from fieldcrm.ui.sync_center.screen import SyncScreen

__all__ = ["SyncScreen"]
