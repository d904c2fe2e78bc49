"""What other libraries call the attributes of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

NAMES = {
    "parameters": "params coef coef_ coefs coefficients popt best_values",
    "standard_errors": "stderr std_err se bse perr errors standard_error",
    "covariance": "pcov cov covar vcov cov_params cov_x",
    "correlation": "corr correl",
    "intervals()": "conf_int confint conf_interval ci_report",
    "r_squared": "rsquared r2 R2 rvalue",
    "residuals": "resid residual resids",
    "residual_standard_deviation": "residual_std s_res",
    "degrees_of_freedom": "df_resid dof nfree",
    "log_likelihood": "llf loglik logLik",
    "predict(data)": "fittedvalues fitted_values best_fit fitted",
    "succeeded": "success ier",
    "epochs": "nit nfev n_iter_ niter iterations",
    "table()": "fit_report",
}
"""By what gives it here: what else it is called."""


class NamedElsewhere:
    """Something whose attributes other libraries call otherwise."""

    if not TYPE_CHECKING:  # so that misspelt attributes are still found by type checkers

        def __getattr__(self, name: str) -> object:
            """Raise AttributeError, with what is called so elsewhere."""
            here = next((here for here, names in NAMES.items() if name in names.split()), None)
            if here is None:
                return object.__getattribute__(self, name)  # which raises what it raised before
            raise AttributeError(f"A fit has no attribute `{name}`. Here it is `fit.{here}`.", name=name, obj=self)
