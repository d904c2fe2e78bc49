"""Functions that SciPy lacks, or has with fewer digits, as functions of arrays."""

from descend.formula.special.bessel import i0e_slope, i1e_slope, k0e_slope
from descend.formula.special.faddeeva import dawsn_slope, erfcx_slope, voigt_dispersion, voigt_profile, voigt_slope
from descend.formula.special.gamma import beta, betaln, digamma_gap, gamma_density, polygamma
from descend.formula.special.gamma_tails import gamma_tail, gamma_tail_density, gamma_tail_slope
from descend.formula.special.incomplete_gamma import gammainc_slope, gammaincc
from descend.formula.special.lambert import lambertw, lambertw_slope
from descend.formula.special.normal import log_ndtr, ndtr
from descend.formula.special.solids import debye_function, debye_slope, langevin_function, langevin_slope

__all__ = [
    "beta",
    "betaln",
    "dawsn_slope",
    "debye_function",
    "debye_slope",
    "digamma_gap",
    "erfcx_slope",
    "gamma_density",
    "gamma_tail",
    "gamma_tail_density",
    "gamma_tail_slope",
    "gammainc_slope",
    "gammaincc",
    "i0e_slope",
    "i1e_slope",
    "k0e_slope",
    "lambertw",
    "lambertw_slope",
    "langevin_function",
    "langevin_slope",
    "log_ndtr",
    "ndtr",
    "polygamma",
    "voigt_dispersion",
    "voigt_profile",
    "voigt_slope",
]
