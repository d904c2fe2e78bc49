"""Dose-response by compound

White mustard under two herbicides: common limits, a dose and a slope for each. How many times as potent is the one?

Data: Christensen, Teicher and Streibig 2003; S.alba of the R package drc, GPL-2.
"""

import descend

fit = descend.fit(
    "DryMatter ~ low + (high - low)/(1 + (Dose/ed50[Herbicide])^slope[Herbicide])",
    "s_alba.csv",
    quantities=["potency = ed50[Bentazone]/ed50[Glyphosate]"],
)
print(fit)
print(fit.quantities["potency"])
fit.plot(log="x").savefig("herbicides.png")
