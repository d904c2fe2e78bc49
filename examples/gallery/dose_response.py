"""Dose-response: the dose that halves growth

Root length of ryegrass under ferulic acid, with four parameters: the ED50 and its profile interval.

Data: Inderjit, Streibig and Olofsdotter 2002; ryegrass of the R package drc, GPL-2.
"""

import descend

fit = descend.fit("rootl ~ low + (high - low)/(1 + (conc/ed50)^slope)", "ryegrass.csv")
print(fit)
print(fit.quantity("ed50", method="profile"))
fit.plot(bands="confidence").savefig("dose_response.png")
