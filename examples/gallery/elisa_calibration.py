"""ELISA: from an optical density back to a concentration

A calibration curve of one run; which concentration gave densities of 1.0, 1.05 and 1.1?

Data: Davidian and Giltinan 1995; DNase of R datasets, GPL-2 | GPL-3.
"""

import descend

fit = descend.fit("density ~ top/(1 + (ec50/conc)^slope)", "dnase.csv", where="Run = 1")
print(fit)
print(fit.invert([1.0, 1.05, 1.1]))
fit.plot(log="x").savefig("elisa_calibration.png")
