"""Counts that scatter: visits to a doctor

20,190 people of the RAND experiment. The variance is far above the mean, so the negative binomial has it estimated.

Data: RAND Health Insurance Experiment; randhie of statsmodels, public domain.
"""

from statsmodels.datasets import randhie

import descend

fit = descend.fit(
    "mdvis ~ exp(w @ [lncoins, idp, lpi, fmde, physlm, disea] + b)",
    randhie.load_pandas().data,
    loss="negative_binomial",
)
print(fit)
fit.plot().savefig("doctor_visits.png")
