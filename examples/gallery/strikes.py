"""How long do strikes last?

Durations have a distribution of their own. The shape of Weibull's says whether strikes end sooner the longer they last.

Data: Kennan 1985; strikes of statsmodels, by permission of the author.
"""

from statsmodels.datasets import strikes

import descend

fit = descend.fit("duration ~ exp(a + b*iprod)", strikes.load_pandas().data, loss="weibull")
print(fit)
fit.plot().savefig("strikes.png")
