"""Thermal expansion of copper

A ratio of two cubics over 236 temperatures, to the digits that NIST certifies.

Data: Hahn, NIST StRD, Hahn1, public domain.
"""

import descend

fit = descend.fit(
    "expansion ~ (a0 + a1*temperature + a2*temperature^2 + a3*temperature^3)"
    " / (1 + b1*temperature + b2*temperature^2 + b3*temperature^3)",
    "hahn1.csv",
)
print(fit)
fit.plot(residuals=True).savefig("thermal_expansion.png")
