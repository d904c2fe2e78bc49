"""Carbon dioxide on Mauna Loa: trend and season

Weekly means since 1958: a parabola, and a year with two harmonics.

Data: Keeling and Whorf 2004; co2 of statsmodels, public domain.
"""

import numpy as np
from statsmodels.datasets import co2

import descend

measured = co2.load_pandas().data.dropna()
year = measured.index.year + (measured.index.day_of_year - 1) / 365.25
data = {"t": np.asarray(year, dtype=float) - 1980, "co2": measured["co2"].to_numpy()}
fit = descend.fit("co2 ~ a + b*t + c*t^2 + s1*sin(2*pi*t) + c1*cos(2*pi*t) + s2*sin(4*pi*t) + c2*cos(4*pi*t)", data)
print(fit)
print(fit.quantity("2*sqrt(s1^2 + c1^2)"))
fit.plot().savefig("carbon_dioxide.png")
