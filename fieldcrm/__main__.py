"""``python -m fieldcrm``: the command line of the program."""

from __future__ import annotations

import sys

from fieldcrm.cli import main

if __name__ == "__main__":
    sys.exit(main())
