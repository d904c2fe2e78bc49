"""Tides: three weeks foretell the next ten days

The periods with which moon and sun move water are known; how strongly they do at Honolulu, and when, its heights tell.
Each tide is a cosine and a sine, which together give its amplitude in metres. The days that the fit has not seen show
what it is worth: what it misses are weaker tides and the weather. The latter lasts from hour to hour, which the printed
intervals, of hours that know nothing of each other, leave out: they are too short.

Data: heights of each hour of January 2010, from the tests of UTide, MIT.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import descend

PERIODS = {"M2": 12.4206012, "S2": 12.0, "N2": 12.6583475, "K1": 23.9344721, "O1": 25.8193387}
waves = [f"c{name}*cos(2*pi*hour/{hours}) + s{name}*sin(2*pi*hour/{hours})" for name, hours in PERIODS.items()]

heights = pd.read_csv("honolulu.csv")
seen, unseen = heights[:504], heights[504:]
fit = descend.fit(f"height ~ level + {' + '.join(waves)}", seen)
for name in PERIODS:
    print(fit.quantity(f"sqrt(c{name}^2 + s{name}^2)"))
missed, moves = np.sqrt(np.mean((unseen["height"] - fit.predict(unseen)) ** 2)), np.std(unseen["height"])
print(f"what was foretold is off by {100 * missed:.1f} cm, where the sea moves by {100 * moves:.1f} cm")

figure = Figure(figsize=(9, 4), layout="constrained")
axes = figure.subplots()
axes.plot(heights["hour"] / 24, heights["height"], ".", color="gray", label="measured")
for part, label in ((seen, "fitted"), (unseen, "foretold")):
    axes.plot(part["hour"] / 24, fit.predict(part), label=label)
axes.set(xlabel="day of January 2010", ylabel="height (m)")
axes.legend(loc="upper center", ncols=3)
figure.savefig("tides.png")
