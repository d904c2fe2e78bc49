"""A spectrum: two peaks on a falling ground

Named curves add up; no starting values are needed.

Data: NIST StRD, Gauss1, public domain.
"""

import descend

fit = descend.fit("counts ~ gaussian(channel) + gaussian(channel) + a*exp(-b*channel)", "gauss1.csv")
print(fit)
fit.plot(residuals=True).savefig("spectrum.png")
