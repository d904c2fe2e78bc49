"""Counts by treatment: six sprays

How many insects are left in a field after each spray: a mean for each, by the Poisson likelihood.

Data: Beall 1942; InsectSprays of R datasets, GPL-2 | GPL-3.
"""

import descend

fit = descend.fit("count ~ exp(b0 + u[spray])", "insect_sprays.csv", loss="poisson")
print(fit)
print(fit.quantity("exp(u[F] - u[C])"))
fit.plot().savefig("insect_sprays.png")
