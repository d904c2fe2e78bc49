"""SciPy's ``curve_fit``, done by descend: the same call, the same values.

A function is traced into a formula and held against itself on the rows; one that cannot be is called, and
differentiated numerically. What differs from SciPy, and why:

1. ``infodict`` holds ``nfev`` and ``fvec``, without MINPACK's own fjac, ipvt and qtf; ``ier`` is 1, as all that is
   returned has converged.
2. The function may be called more than once with the same parameters, to find out whether it always gives the same.
3. ``pcov`` is taken where the fit ends. SciPy takes it one step before the end, which shows from the sixth digit on
   (with its tolerances at 1e-15 it agrees with this one).
4. Parameters that the data do not determine have an infinite ``pcov``, with an OptimizeWarning, by all methods; SciPy
   gives some finite one for ``trf`` and ``dogbox``.
5. ``method`` and the tolerances are checked and otherwise unused: every fit goes on until its gradient is zero to
   rounding.
"""

from descend.curve_fitting.curve_fit import curve_fit

__all__ = ["curve_fit"]
