"""Five trees, one fit for each

The circumference of orange trees by age: a logistic curve of its own for every tree.

Data: Draper and Smith 1998; Orange of R datasets, GPL-2 | GPL-3.
"""

import descend

fits = descend.fit("circumference ~ limit/(1 + exp((middle - age)/scale))", "orange.csv", by="Tree")
print(fits)
print(fits.frame()[["Tree", "limit", "middle", "scale"]].round(1).to_string(index=False))
fits.plot().savefig("orange_trees.png")
