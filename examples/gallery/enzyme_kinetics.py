"""Enzyme kinetics: one affinity, two speeds

The rate of a reaction with and without puromycin. Both share the Michaelis constant K; the limiting rate Vm has a value
for each state.

Data: Treloar 1974; Puromycin of R datasets, GPL-2 | GPL-3.
"""

import descend

fit = descend.fit("rate ~ Vm[state]*conc/(K + conc)", "puromycin.csv", quantities=["ratio = Vm[treated]/Vm[untreated]"])
print(fit)
print(fit.quantities["ratio"])
fit.plot().savefig("enzyme_kinetics.png")
