"""Peaks of spectra, chromatograms and images."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Peaks"
X = Argument("x", "wavelength, energy, angle, time or place", "x", 400.0, 700.0)
HEIGHT = Argument("height", "height of the peak", "y", 1.0, 100.0)
AREA = Argument("area", "area under the peak", "y*x", 100.0, 10000.0)
CENTER = Argument("center", "place of the peak", "x", 480.0, 620.0, start="x_min to x_max")
SIGMA = Argument("sigma", "standard deviation of the Gaussian part", "x", 10.0, 30.0, start="step/2 to width")
HALF = Argument("width", "half of the full width at half height", "x", 10.0, 40.0, start="step/2 to width")
SPECTRA = "Demtroeder, Laser Spectroscopy 1, 5th ed. (2014), ch. 3"

ENTRIES = (
    Curve(
        "gaussian",
        "Gaussian peak",
        "height*exp(-((x - center)/width)^2/2)",
        (
            X,
            HEIGHT,
            CENTER,
            Argument("width", "standard deviation; full width at half height is 2.355 of it", "x", 15.0, 50.0),
        ),
        use="peaks broadened by many small causes: chromatography, beam profiles, Doppler-broadened lines",
        source="Bevington & Robinson, Data Reduction and Error Analysis, 3rd ed. (2003), sec. 2.3",
        aliases="gauss, normal, bell, bell_curve, gaussian_peak",
        y="intensity",
    ),
    Curve(
        "lorentzian",
        "Lorentzian peak",
        "height/(1 + ((x - center)/width)^2)",
        (X, HEIGHT, CENTER, HALF),
        use="resonances and lines broadened by a lifetime: optics, NMR, microwave cavities",
        source=SPECTRA,
        aliases="lorentz, cauchy, breit_wigner, lorentzian_peak",
        y="intensity",
    ),
    Curve(
        "voigt",
        "Voigt peak",
        "area*voigt_profile(x - center, sigma, gamma)",
        (
            X,
            AREA,
            CENTER,
            SIGMA,
            Argument(
                "gamma", "half width at half height of the Lorentzian part", "x", 8.0, 25.0, start="step/2 to width"
            ),
        ),
        use="lines broadened by a lifetime and by many small causes at once: X-ray diffraction, gas spectra",
        source="Olver et al., NIST Handbook of Mathematical Functions (2010), sec. 7.19",
        aliases="voigt_peak, faddeeva",
        y="intensity",
    ),
    Curve(
        "pseudo_voigt",
        "Pseudo-Voigt peak",
        "height*(share/(1 + ((x - center)/width)^2) + (1 - share)*exp(-log(2)*((x - center)/width)^2))",
        (
            X,
            HEIGHT,
            CENTER,
            HALF,
            Argument("share", "share of the Lorentzian, from 0 to 1", "1", 0.2, 0.8, start="0 to 1"),
        ),
        use="the same lines as Voigt's, by a sum of Lorentzian and Gaussian of one width",
        source="Wertheim, Butler, West & Buchanan (1974), Rev. Sci. Instrum. 45, 1369-1371",
        aliases="pseudovoigt, pvoigt",
        y="intensity",
    ),
    Curve(
        "moffat",
        "Moffat peak",
        "height*(1 + ((x - center)/width)^2)^(-exponent)",
        (
            X,
            HEIGHT,
            CENTER,
            Argument("width", "scale of the core", "x", 20.0, 50.0),
            Argument("exponent", "how fast the wings fall; 1 is a Lorentzian", "1", 1.0, 3.0),
        ),
        use="images of stars, blurred by the atmosphere",
        source="Moffat (1969), Astron. Astrophys. 3, 455-461",
        aliases="moffat_profile",
        y="brightness",
    ),
    Curve(
        "pearson7",
        "Pearson VII peak",
        "height*(1 + ((x - center)/width)^2*(2^(1/shape) - 1))^(-shape)",
        (
            X,
            HEIGHT,
            CENTER,
            HALF,
            Argument("shape", "1 is a Lorentzian, large a Gaussian", "1", 1.0, 3.0, start="0.6 to 30"),
        ),
        use="lines of X-ray powder diffraction",
        source="Hall, Veeraraghavan, Rubin & Winchell (1977), J. Appl. Cryst. 10, 66-68",
        aliases="pearson_vii, pearson vii",
        y="intensity",
    ),
    Curve(
        "doniach_sunjic",
        "Doniach-Sunjic peak",
        "height*cos(pi*asymmetry/2 + (1 - asymmetry)*atan((x - center)/width))"
        "/(1 + ((x - center)/width)^2)^((1 - asymmetry)/2)",
        (
            X,
            HEIGHT,
            CENTER,
            Argument("width", "half width without the asymmetry", "x", 10.0, 40.0),
            Argument("asymmetry", "0 is a Lorentzian; below 0.5 in metals", "1", 0.05, 0.3),
        ),
        use="core levels of metals in photoelectron spectra",
        source="Doniach & Sunjic (1970), J. Phys. C 3, 285-291",
        aliases="doniach, doniach_šunjić",
        y="intensity",
    ),
    Curve(
        "breit_wigner_fano",
        "Breit-Wigner-Fano resonance",
        "height*(q + (x - center)/width)^2/(1 + ((x - center)/width)^2)",
        (
            X,
            Argument("height", "level far from the resonance", "y", 1.0, 10.0),
            CENTER,
            HALF,
            Argument("q", "asymmetry: strength of the resonance against the continuum", "1", 1.0, 5.0),
        ),
        use="a resonance that interferes with a continuum: autoionisation, Raman lines of metals, cavities",
        source="Fano (1961), Phys. Rev. 124, 1866-1878",
        aliases="fano, bwf",
        y="intensity",
    ),
    Curve(
        "emg",
        "Exponentially modified Gaussian",
        "area/tail*exp(sigma^2/(2*tail^2) - (x - center)/tail + log_ndtr((x - center)/sigma - sigma/tail))",
        (
            X,
            AREA,
            Argument("center", "center of the Gaussian part", "x", 480.0, 560.0),
            SIGMA,
            Argument("tail", "decay length of the tail to greater x", "x", 15.0, 60.0),
        ),
        use="peaks with a tail: chromatography, reaction times",
        source="Grushka (1972), Anal. Chem. 44, 1733-1738",
        aliases="exponentially_modified_gaussian, exgaussian, ex_gaussian",
        y="signal",
    ),
    Curve(
        "lognormal_peak",
        "Log-normal peak",
        "height*exp(-(log(x/center)/width)^2/2)",
        (
            Argument("x", "size, concentration or time, above 0", "x", 0.05, 20.0),
            HEIGHT,
            Argument("center", "place of the maximum", "x", 0.5, 2.0),
            Argument("width", "standard deviation of log(x)", "1", 0.3, 0.9),
        ),
        use="peaks that are symmetric over the logarithm of x: particle sizes, aerosols",
        source="Seinfeld & Pandis, Atmospheric Chemistry and Physics, 3rd ed. (2016), ch. 8",
        aliases="log_normal, lognormal, log_normal_peak",
        y="number",
    ),
    Curve(
        "sech_squared",
        "Squared hyperbolic secant",
        "height*sech((x - center)/width)^2",
        (X, HEIGHT, CENTER, Argument("width", "scale; full width at half height is 1.763 of it", "x", 12.0, 45.0)),
        use="pulses of mode-locked lasers, solitons, thickness of galaxies",
        source="Siegman, Lasers (1986), ch. 28",
        aliases="sech2, soliton, hyperbolic_secant",
        y="intensity",
    ),
    Curve(
        "knife_edge",
        "Knife edge (error function)",
        "height/2*erfc((center - x)/(sqrt(2)*width))",
        (
            X,
            Argument("height", "height of the step", "y", 1.0, 100.0),
            CENTER,
            Argument("width", "standard deviation", "x", 10.0, 50.0),
        ),
        use="a step blurred by a Gaussian: beams cut by a knife edge, diffusion across an interface",
        source="Crank, The Mathematics of Diffusion, 2nd ed. (1975), sec. 2.2",
        aliases="error_function_step, erf_step",
        y="power",
    ),
)
