"""Grass that takes up carbon dioxide

Does the plant from Mississippi saturate elsewhere? One model with shared parameters against one with its own.

Data: Potvin, Lechowicz and Tardif 1990; CO2 of R datasets, GPL-2 | GPL-3.
"""

import descend

shared = "uptake ~ a*(1 - exp(-b*(conc - c)))"
own = "uptake ~ a[Type]*(1 - exp(-b[Type]*(conc - c)))"
comparison = descend.compare([shared, own], "co2_uptake.csv")
print(comparison)
fit = descend.fit(own, "co2_uptake.csv")
fit.plot().savefig("carbon_uptake.png")
