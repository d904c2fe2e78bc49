"""Did the new course help? A probit

Grades of 32 students, with and without a new way of teaching economics: the probability is the formula, so any link
is one.

Data: Spector and Mazzeo 1980; spector of statsmodels, by permission of the author.
"""

from statsmodels.datasets import spector

import descend

fit = descend.fit("GRADE ~ normal_cdf(w @ [GPA, TUCE, PSI] + b)", spector.load_pandas().data, loss="bernoulli")
print(fit)
fit.plot().savefig("teaching.png")
