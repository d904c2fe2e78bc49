"""Stack loss: four bad days

Ammonia lost in a plant: least squares follows four outlying rows, Tukey's loss leaves them alone.

Data: Brownlee 1965; stackloss of statsmodels, public domain.
"""

from statsmodels.datasets import stackloss

import descend

data = stackloss.load_pandas().data
formula = "STACKLOSS ~ w @ [AIRFLOW, WATERTEMP, ACIDCONC] + b"
plain = descend.fit(formula, data)
fit = descend.fit(formula, data, loss="tukey")
print(plain)
print(fit)
fit.plot().savefig("stack_loss.png")
