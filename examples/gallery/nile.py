"""The Nile: before and after 1898

Yearly flow of the Nile at Aswan, which fell when the dam was built; by how much?

Data: Cobb 1978; nile of statsmodels, public domain.
"""

from statsmodels.datasets import nile

import descend

fit = descend.fit("volume ~ where(year < 1899, before, after)", nile.load_pandas().data, errors="HC3")
print(fit)
print(fit.quantity("after - before"))
fit.plot().savefig("nile.png")
