"""A reaction A -> B -> C: the model is a differential equation that SciPy solves, no formula, fitted all the same."""

import numpy as np
from scipy.integrate import solve_ivp

import descend


def amount_of_b(t, k1, k2, a0):
    """dA/dt = -k1 A, dB/dt = k1 A - k2 B, from A = a0 and B = 0."""

    def rates(_, amounts):
        a, b = amounts
        return [-k1 * a, k1 * a - k2 * b]

    solved = solve_ivp(rates, (0.0, t.max()), [a0, 0.0], t_eval=np.unique(t), rtol=1e-9, atol=1e-12, method="LSODA")
    return np.interp(t, solved.t, solved.y[1])


rng = np.random.default_rng(1)
t = np.linspace(0.25, 12.0, 48)
data = {"t": t, "B": amount_of_b(t, 0.9, 0.25, 10.0) + rng.normal(0.0, 0.1, t.size)}

fit = descend.fit(amount_of_b, data, response="B", start={"k1": 0.5, "k2": 0.5, "a0": 5.0})
for name, value in fit.parameters.items():
    print(f"{name} = {value:.4f} +- {fit.standard_errors[name]:.4f}")
print(f"gradient {fit.gradient}, {fit.outcome}", *fit.notes, sep="\n")
