"""A lesson for a class: how far does a car run on?

Braking distance by speed, 1920s cars. By hand, in the open: a gradient, a rate, a log; then the same by formula.

Data: Ezekiel 1930; cars of R datasets, GPL-2 | GPL-3.
"""

import numpy as np

import descend


def forward(speed, w):
    """A car that brakes runs on as the square of its speed."""
    return w * speed**2


def gradient(speed, dist, w):
    """By hand: the derivative of the mean squared error."""
    return np.mean(2 * (w * speed**2 - dist) * speed**2)


fit = descend.fit(
    forward, "cars.csv", response="dist", gradient=gradient, start={"w": 0.0}, optimizer="gd", learning_rate=3e-6,
    epochs=100, log_every=20,
)  # fmt: skip
print(fit)
print(descend.fit("dist ~ w*speed^2", "cars.csv"))
fit.plot().savefig("class_lesson.png")
