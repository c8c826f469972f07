"""``python -m fastconv.interop.scipy script.py ...``: a program whose calls of scipy.ndimage run on fastconv.

The report goes to standard error when the program ends.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys

from fastconv.interop.scipy import patch, report


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fastconv.interop.scipy", description=str(__doc__).splitlines()[0])
    parser.add_argument("-m", action="store_true", dest="module", help="SCRIPT is the name of a module")
    parser.add_argument("-q", "--quiet", action="store_true", help="print no report")
    parser.add_argument("script", help="what to run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its own arguments")
    options = parser.parse_args()
    sys.argv = [options.script, *options.arguments]
    try:
        with patch():
            if options.module:
                sys.path[0] = os.getcwd()
                runpy.run_module(options.script, run_name="__main__", alter_sys=True)
            else:
                sys.path[0] = os.path.dirname(os.path.abspath(options.script))
                runpy.run_path(options.script, run_name="__main__")
    finally:
        if not options.quiet:
            print(report(), file=sys.stderr)


if __name__ == "__main__":
    main()
