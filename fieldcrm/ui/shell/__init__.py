"""The frame of the program: rail, top bar, palette, status bar, menus; screens come and go inside it."""

from fieldcrm.ui.shell.window import MainWindow

__all__ = ["MainWindow"]
