"""Shares: who passes in California

The share of pupils above the national median in 303 districts, with the number tested in each.

Data: Gill 2000; star98 of statsmodels, by permission of the author.
"""

from statsmodels.datasets import star98

import descend

data = star98.load_pandas().data
data["n"] = data["NABOVE"] + data["NBELOW"]
data["share"] = data["NABOVE"] / data["n"]
fit = descend.fit(
    "share ~ sigmoid(w @ [LOWINC, PERASIAN, PERBLACK, PERHISP, PTRATIO] + b)",
    data,
    loss="binomial",
    trials="n",
    dispersion="estimated",
)
print(fit)
fit.plot().savefig("school_scores.png")
