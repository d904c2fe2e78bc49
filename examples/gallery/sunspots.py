"""Sunspots: how long is a cycle?

A wave whose period is found, not given: the search for a start looks at frequencies first.

Data: National Geophysical Data Center; sunspots of statsmodels, public domain.
"""

from statsmodels.datasets import sunspots

import descend

fit = descend.fit("SUNACTIVITY ~ c + a*sin(2*pi*(YEAR - t0)/period)", sunspots.load_pandas().data)
print(fit)
fit.plot().savefig("sunspots.png")
