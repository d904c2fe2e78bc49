"""A peak in an image: where the flower is, and how wide

An elliptical Gaussian over x and y is fitted to the redness of the pixels; the white line is where it is half as high.

Data: photograph by vultilion, Creative Commons Attribution 2.0; flower.jpg of scikit-learn.
"""

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image

import descend

photograph = load_sample_image("flower.jpg")
pixels = photograph[::8, ::8].astype(float)
y, x = 8 * np.mgrid[: pixels.shape[0], : pixels.shape[1]]
data = {"x": x.ravel(), "y": y.ravel(), "redness": (pixels[..., 0] - pixels[..., 2]).ravel()}
fit = descend.fit("redness ~ ground + height*exp(-((x - x0)/w)^2/2 - ((y - y0)/h)^2/2)", data)
print({name: round(value, 1) for name, value in fit.parameters.items()})

figure = Figure(figsize=(8, 5.4), layout="constrained")
axes = figure.subplots()
axes.imshow(photograph)
falls = fit.predict({name: data[name] for name in "xy"}).reshape(x.shape)
half = fit.parameters["ground"] + fit.parameters["height"] / 2
axes.contour(x, y, falls, levels=[half], colors="white", linewidths=2)
axes.plot(fit.parameters["x0"], fit.parameters["y0"], "w+", markersize=14)
axes.set(xlabel="x (pixels)", ylabel="y (pixels)")
figure.savefig("image_peak.png")
