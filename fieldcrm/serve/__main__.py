from __future__ import annotations

import sys

from fieldcrm.serve import main

sys.exit(main())
