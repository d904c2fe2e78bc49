"""Three flowers: a classifier with probabilities

Which species is it? Softmax of two measurements, as a scikit-learn estimator, judged on rows it has not seen.

Data: Fisher 1936; iris of R datasets, GPL-2 | GPL-3.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_score

from descend.estimators import FormulaClassifier

table = pd.read_csv("iris.csv")
X, y = table[["Petal.Length", "Petal.Width"]].to_numpy(), table["Species"].to_numpy()
model = FormulaClassifier().fit(X, y)
print(model.classes_, cross_val_score(model, X, y, cv=5).mean().round(3))

figure, axes = plt.subplots()
grid = np.stack(np.meshgrid(np.linspace(0.5, 7.5, 200), np.linspace(0, 2.8, 200)), axis=-1)
side = np.searchsorted(model.classes_, model.predict(grid.reshape(-1, 2))).reshape(200, 200)
axes.contourf(grid[..., 0], grid[..., 1], side, levels=[-0.5, 0.5, 1.5, 2.5], alpha=0.25)
for species in model.classes_:
    axes.plot(*X[y == species].T, "o", label=species)
axes.set(xlabel="petal length (cm)", ylabel="petal width (cm)")
axes.legend()
figure.savefig("iris.png")
