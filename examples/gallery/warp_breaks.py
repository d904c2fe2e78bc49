"""Two factors that interact

Breaks of yarn by wool and tension, with the contrasts that R has.

Data: Tippett 1950; warpbreaks of R datasets, GPL-2 | GPL-3.
"""

import descend

fit = descend.fit("breaks ~ b0 + u[wool] + v[tension] + w[wool, tension]", "warpbreaks.csv", reference={"tension": "L"})
print(fit)
fit.plot().savefig("warp_breaks.png")
