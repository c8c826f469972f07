"""The SciPy door: programs that call scipy.ndimage run on fastconv's filters, unchanged.

>>> from scipy.ndimage import minimum_filter
>>> from fastconv.interop.scipy import patch, report
>>> with patch():
...     minimum_filter([[5, 2, 7], [4, 3, 9]], size=(1, 2))
array([[5, 2, 2],
       [4, 3, 3]])
>>> report().calls
1

``python -m fastconv.interop.scipy script.py ...`` runs a whole program so.  Needs the extra ``fastconv[scipy]``.
"""

from fastconv.core.errors import missing_extra

try:
    import scipy as _scipy  # noqa: F401
except ModuleNotFoundError as e:
    raise missing_extra("SciPy", "scipy", "fastconv.interop.scipy") from e

from fastconv.interop.scipy.counts import Report, Row
from fastconv.interop.scipy.patching import Patch, patch, report, unpatch

__all__ = ["Patch", "Report", "Row", "patch", "report", "unpatch"]
