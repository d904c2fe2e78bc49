"""A bioassay with nasturtium

Three weights of cress; how much of the agrochemical was in the soil, and how sure is that?

Data: Racine-Poon 1988; nasturtium of the R package investr, GPL-2 | GPL-3.
"""

import descend

fit = descend.fit("weight ~ t1/(1 + exp(t2)*conc^t3)", "nasturtium.csv")
print(fit)
print(fit.invert([309.0, 296.0, 419.0]))
fit.plot().savefig("bioassay.png")
