"""The complementary error function, which NumPy lacks.

Rational approximations on four ranges from Sun's fdlibm, s_erf.c (1993; after W. J. Cody, "Rational Chebyshev
approximations for the error function", Math. Comp. 23, 1969), each within one unit of the last place.
"""

from __future__ import annotations

import numpy as np

_CENTRE = (
    (1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
     -5.77027029648944159157e-03, -2.37630166566501626084e-05),
    (1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
     1.32494738004321644526e-04, -3.96022827877536812320e-06),
)  # fmt: skip
_NEAR = (
    (-2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
     3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
     -2.16637559486879084300e-03),
    (1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
     1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02),
)  # fmt: skip
_FAR = (
    (-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e01,
     -6.23753324503260060396e01, -1.62396669462573470355e02, -1.84605092906711035994e02,
     -8.12874355063065934246e01, -9.81432934416914548592e00),
    (1.0, 1.96512716674392571292e01, 1.37657754143519042600e02, 4.34565877475229228821e02,
     6.45387271733267880336e02, 4.29008140027567833386e02, 1.08635005541779435134e02,
     6.57024977031928170135e00, -6.04244152148580987438e-02),
)  # fmt: skip
_TAIL = (
    (-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e01,
     -1.60636384855821916062e02, -6.37566443368389627722e02, -1.02509513161107724954e03,
     -4.83519191608651397019e02),
    (1.0, 3.03380607434824582924e01, 3.25792512996573918826e02, 1.53672958608443695994e03,
     3.19985821950859553908e03, 2.55305040643316442583e03, 4.74528541206955367215e02,
     -2.24409524465858183362e01),
)  # fmt: skip
_ERX = 8.45062911510467529297e-01  # erf(1), rounded to float32


def _ratio(z: np.ndarray, table: tuple[tuple[float, ...], tuple[float, ...]]) -> np.ndarray:
    """P(z) / Q(z), coefficients from the lowest power up."""
    parts = []
    for coefficients in table:
        value = np.full_like(z, coefficients[-1])
        for c in coefficients[-2::-1]:
            value *= z
            value += c
        parts.append(value)
    numerator, denominator = parts
    return np.divide(numerator, denominator, out=numerator)


def erfc(x: np.ndarray) -> np.ndarray:
    """1 - erf(x) for float64 `x`, accurate in the tail, too; NaN stays NaN."""
    a = np.abs(x)
    y = np.where(np.isnan(x), x, 0.0)  # erfc is 0 beyond 28
    centre = a < 0.84375
    z = x[centre]
    y[centre] = 1.0 - (z + z * _ratio(z * z, _CENTRE))
    near = (a >= 0.84375) & (a < 1.25)
    y[near] = 1.0 - _ERX - _ratio(a[near] - 1.0, _NEAR)
    split = 1.0 / 0.35
    for part, table in (((a >= 1.25) & (a < split), _FAR), ((a >= split) & (a < 28.0), _TAIL)):
        z = a[part]
        # exp(-z*z) in two factors, the first of which has an exact argument.
        head = z.astype(np.float32).astype(np.float64)
        y[part] = np.exp(-head * head - 0.5625) * np.exp((head - z) * (head + z) + _ratio(1.0 / (z * z), table)) / z
    return np.where((x < 0) & ~centre, 2.0 - y, y)
