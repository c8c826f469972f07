"""``python -m fastconv``: the command line of `fastconv.cli`."""

import sys

from fastconv.cli import main

if __name__ == "__main__":
    sys.exit(main())
