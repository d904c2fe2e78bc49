"""Finance: bad marks on credit records, and why Poisson is not enough

1,319 people asked for a credit card. How many late payments and worse stand on their records, by the number of accounts
they have, for those who own a home and others? Poisson's counts scatter as their mean says, these far more: most people
have none, some have ten. The negative binomial estimates how much more, and its honest intervals are wider.

Data: Greene 2003, table F21.4; CreditCard of the R package AER, GPL-2 | GPL-3.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import nbinom, poisson

import descend

people = pd.read_csv("credit_reports.csv")
fits = {
    loss: descend.fit("reports ~ exp(a[owner] + b*active)", people, loss=loss)
    for loss in ("poisson", "negative_binomial")
}
for loss, fit in fits.items():
    print(f"{loss}: AIC {fit.aic:.1f}")
    print(fit.quantity("exp(b)"), fit.quantity("exp(a[yes] - a[no])"), sep="\n")

counts = np.arange(11)
mean = {loss: fit.predict(people)[:, None] for loss, fit in fits.items()}
theta = fits["negative_binomial"].parameters["theta"]
expected = {
    "poisson": poisson.pmf(counts, mean["poisson"]),
    "negative_binomial": nbinom.pmf(counts, theta, theta / (theta + mean["negative_binomial"])),
}
figure = Figure(layout="constrained")
axes = figure.subplots()
axes.bar(counts, [np.sum(people["reports"] == count) for count in counts], color="lightgray", label="people")
for (loss, shares), mark in zip(expected.items(), "so", strict=True):
    axes.plot(counts, shares.sum(axis=0), mark, label=loss.replace("_", " "))
axes.set(xlabel="bad marks on the record", ylabel="people", yscale="log", ylim=(0.5, 2000))
axes.legend()
figure.savefig("credit_reports.png")
