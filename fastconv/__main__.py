"""``python -m fastconv``: the command line of `fastconv.cli`."""

import sys

from fastconv.cli import main

sys.exit(main())
