"""Insurance: claims by driver and car

Claims of the third quarter of 1973. More policies, more claims: their number is the exposure, so that the model is of
the rate. It is a factor for the age of the driver, times one for the engine, times one for the district. Here Poisson's
counts are enough: χ² is no larger than its degrees of freedom.

Data: Baxter, Coutts and Ross 1980; Insurance of the R package MASS, GPL-2 | GPL-3.
"""

import pandas as pd
from matplotlib.figure import Figure

import descend

policies = pd.read_csv("car_insurance.csv")
fit = descend.fit(
    "claims ~ exp(b + driver[age] + engine[litres] + place[district])", policies, loss="poisson", exposure="holders"
)
print(fit.quantity("exp(driver['under 25'] - driver['over 35'])"))
print(fit.quantity("exp(engine['over 2'] - engine['under 1'])"))
print(f"chi-square {fit.goodness.chi_square:.1f} with {fit.goodness.degrees} degrees of freedom")

policies["fitted"] = fit.predict(policies)
figure = Figure(layout="constrained")
axes = figure.subplots()
for litres, of_engine in policies.groupby("litres", sort=False):
    sums = of_engine.groupby("age", sort=False)[["claims", "fitted", "holders"]].sum()
    (line,) = axes.plot(sums.index, 100 * sums["fitted"] / sums["holders"], label=f"{litres} litres")
    axes.plot(sums.index, 100 * sums["claims"] / sums["holders"], "o", color=line.get_color())
axes.set(xlabel="age of the driver", ylabel="claims per 100 policies", ylim=(0, None))
axes.legend()
figure.savefig("car_insurance.png")
