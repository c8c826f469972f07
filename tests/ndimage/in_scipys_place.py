"""A plugin of pytest: SciPy's own tests of scipy.ndimage find the functions of fastconv.ndimage in their place."""

from scipy import ndimage
from scipy._lib import _array_api

import fastconv.ndimage

CAPABILITIES = getattr(_array_api, "xp_capabilities_table", {})  # since SciPy 1.16

for name in fastconv.ndimage.__all__:
    theirs, ours = getattr(ndimage, name), getattr(fastconv.ndimage, name)
    if theirs in CAPABILITIES:
        CAPABILITIES[ours] = CAPABILITIES[theirs]
    setattr(ndimage, name, ours)
