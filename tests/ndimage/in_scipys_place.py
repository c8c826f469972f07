"""A plugin of pytest: SciPy's own tests of scipy.ndimage find the functions of fastconv.ndimage in their place."""

from scipy import ndimage
from scipy._lib import _array_api

import fastconv.ndimage

for name in fastconv.ndimage.__all__:
    theirs, ours = getattr(ndimage, name), getattr(fastconv.ndimage, name)
    if theirs in _array_api.xp_capabilities_table:
        _array_api.xp_capabilities_table[ours] = _array_api.xp_capabilities_table[theirs]
    setattr(ndimage, name, ours)
