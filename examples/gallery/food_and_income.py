"""Food and income: three quantiles

What households spend on food, by income: the lower tenth, the median, the upper tenth. Quantiles are found exactly,
at a vertex.

Data: Engel 1857; engel of statsmodels, public domain.
"""

from statsmodels.datasets import engel

import descend

data = engel.load_pandas().data
for quantile in (0.1, 0.5, 0.9):
    fit = descend.fit("foodexp ~ a + b*income", data, loss=f"pinball(quantile={quantile})")
    print(quantile, fit)
fit.plot().savefig("food_and_income.png")
