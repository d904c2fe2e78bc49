"""Pharmacokinetics: two phases in six people

Indomethacin in blood: a fast and a slow decay for each person, and the area under each curve.

Data: Kwan and others 1976; Indometh of R datasets, GPL-2 | GPL-3.
"""

import descend

fits = descend.fit(
    "conc ~ a*exp(-k1*time) + b*exp(-k2*time)", "indometh.csv", by="Subject", quantities=["auc = a/k1 + b/k2"]
)
print(fits)
print(fits.frame()[["Subject", "k1", "k2", "auc", "auc std. error"]].round(3).to_string(index=False))
fits.plot().savefig("pharmacokinetics.png")
