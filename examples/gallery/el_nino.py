"""The seasons of the Pacific

Sea surface temperature of each month over 61 years: two harmonics of the year.

Data: National Oceanic and Atmospheric Administration; elnino of statsmodels, public domain.
"""

import numpy as np
from statsmodels.datasets import elnino

import descend

table = elnino.load_pandas().data.set_index("YEAR")
data = {"month": np.tile(np.arange(12.0), len(table)), "temperature": table.to_numpy().ravel()}
fit = descend.fit("temperature ~ m + a*cos(2*pi*(month - p)/12) + b*cos(4*pi*(month - q)/12)", data)
print(fit)
fit.plot().savefig("el_nino.png")
