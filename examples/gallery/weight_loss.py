"""Weight loss: the half-life, and the day the goal is met

What follows from a fit has an error, too: here the half-life of the decay, and where the curve reaches 110 kg.

Data: wtloss of the R package MASS, GPL-2 | GPL-3.
"""

import descend

fit = descend.fit(
    "Weight ~ b0 + b1*exp(-k*Days)",
    "wtloss.csv",
    quantities=["half_life = log(2)/k", "goal = root(Days, 0, 1000, level=110)"],
)
print(fit)
for name, quantity in fit.quantities.items():
    print(name, quantity)
fit.plot(bands="prediction").savefig("weight_loss.png")
