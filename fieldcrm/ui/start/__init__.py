"""Before the program proper: first run, sign-in, unlock, first download, and what cannot be opened."""

from fieldcrm.ui.start.window import StartSteps, StartWindow

__all__ = ["StartSteps", "StartWindow"]
