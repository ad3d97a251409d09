"""`python -m dempilot`."""

import sys

from dempilot.cli import main

sys.exit(main())
