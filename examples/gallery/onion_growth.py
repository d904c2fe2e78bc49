"""Growth of onions, as a formula and as a differential equation

The same curve twice: the logistic formula, and its differential equation, which SciPy solves inside the model.

Data: Ratkowsky 1983, NIST StRD, Rat43, public domain.
"""

from scipy.integrate import solve_ivp

import descend

fit = descend.fit("weight ~ K/(1 + exp(-r*(weeks - middle)))", "rat43.csv")
print(fit)


def grown(weeks, K, r, first):
    """Solve dy/dt = r y (1 - y/K), where y is `first` in week 1."""
    solved = solve_ivp(
        lambda _, y: r * y * (1 - y / K), (1.0, weeks.max()), [first], dense_output=True, rtol=1e-9, atol=1e-9
    )
    return solved.sol(weeks)[0]


ode = descend.fit(grown, "rat43.csv", response="weight", start={"K": 600.0, "r": 0.5, "first": 20.0})
print(ode)
fit.plot().savefig("onion_growth.png")
