"""Electron mobility in a semiconductor

Seven parameters and no start, where many programs need a good one.

Data: Thurber, NIST StRD, public domain.
"""

import descend

fit = descend.fit(
    "mobility ~ (a0 + a1*log_density + a2*log_density^2 + a3*log_density^3)"
    " / (1 + b1*log_density + b2*log_density^2 + b3*log_density^3)",
    "thurber.csv",
)
print(fit)
fit.plot().savefig("electron_mobility.png")
