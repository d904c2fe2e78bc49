"""Optics, oscillations and circuits."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Optics, oscillations and circuits"
TIME = Argument("x", "time", "x", 0.0, 10.0)
PLACE = Argument("x", "place or angle", "x", -10.0, 10.0)
DRIVE = Argument("x", "frequency of the drive", "x", 1.0, 20.0)
HEIGHT = Argument("height", "height of the maximum", "y", 1.0, 100.0)
CENTER = Argument("center", "place of the maximum", "x", -3.0, 3.0)
AMPLITUDE = Argument("amplitude", "amplitude", "y", 1.0, 5.0)
FREQUENCY = Argument("frequency", "turns per unit of x", "1/x", 0.3, 1.5)
PHASE = Argument("phase", "phase at x = 0, in radians", "1", -3.0, 3.0)
RESONANCE = Argument("resonance", "frequency of the free oscillation", "x", 5.0, 14.0)
CHARGED = Argument("time_constant", "time to reach 63% of the end", "x", 1.0, 4.0)
WAVES = "French, Vibrations and Waves (1971)"
CIRCUITS = "Horowitz & Hill, The Art of Electronics, 3rd ed. (2015)"
OPTICS = "Hecht, Optics, 5th ed. (2017)"

ENTRIES = (
    Curve(
        "sine",
        "Sine wave",
        "amplitude*sin(2*pi*frequency*x + phase)",
        (TIME, AMPLITUDE, FREQUENCY, PHASE),
        use="one steady wave; add a constant for its mean",
        source=f"{WAVES}, ch. 1",
        aliases="sinusoid, wave, cosine",
        y="signal",
    ),
    Curve(
        "damped_oscillation",
        "Damped oscillation",
        "amplitude*exp(-damping*x)*sin(2*pi*frequency*x + phase)",
        (TIME, AMPLITUDE, Argument("damping", "rate at which the amplitude falls", "1/x", 0.1, 0.4), FREQUENCY, PHASE),
        use="ringing that dies away: pendulums, circuits, free induction decay",
        source=f"{WAVES}, ch. 3",
        aliases="damped_sine, damped_oscillator, ringing",
        y="displacement",
    ),
    Curve(
        "driven_oscillation",
        "Driven oscillation",
        "static*resonance^2/sqrt((resonance^2 - x^2)^2 + (damping*x)^2)",
        (
            DRIVE,
            Argument("static", "displacement under a steady force", "y", 1.0, 5.0),
            RESONANCE,
            Argument("damping", "width of the resonance: friction over mass", "x", 0.8, 3.0),
        ),
        use="amplitude of a damped oscillator against the frequency that drives it",
        source=f"{WAVES}, ch. 4",
        aliases="driven_oscillator, forced_oscillation, resonance_curve",
        y="amplitude",
    ),
    Curve(
        "lorentz_response",
        "Lorentz oscillator",
        "strength*damping*x/((resonance^2 - x^2)^2 + (damping*x)^2)",
        (
            DRIVE,
            Argument("strength", "squared plasma frequency times oscillator strength", "y*x^2", 10.0, 100.0),
            RESONANCE,
            Argument("damping", "width of the line", "x", 0.8, 3.0),
        ),
        use="absorption by bound charges: the imaginary part of a dielectric function",
        source=f"{OPTICS}, sec. 3.5",
        aliases="lorentz_oscillator, lorentz_model",
        y="absorption",
    ),
    Curve(
        "butterworth",
        "Butterworth response",
        "gain/sqrt(1 + (x/cutoff)^(2*order))",
        (
            Argument("x", "frequency", "x", 10.0, 10000.0),
            Argument("gain", "gain far below the cutoff", "y", 1.0, 10.0),
            Argument("cutoff", "frequency at which the gain is 71%", "x", 100.0, 1000.0),
            Argument("order", "order of the filter", "1", 1.0, 4.0),
        ),
        use="gain of a low-pass filter without ripples",
        source=f"{CIRCUITS}, sec. 6.2",
        aliases="butterworth_response, low_pass, lowpass",
        y="gain",
    ),
    Curve(
        "rc_charging",
        "Charging of a capacitor",
        "voltage*(1 - exp(-x/time_constant))",
        (TIME, Argument("voltage", "voltage at the end", "y", 1.0, 12.0), CHARGED),
        use="voltage of a capacitor charged through a resistor; the time constant is R C",
        source=f"{CIRCUITS}, sec. 1.4",
        aliases="rc, rc_circuit, capacitor_charging",
        y="voltage",
    ),
    Curve(
        "rl_charging",
        "Current through a coil",
        "current*(1 - exp(-x/time_constant))",
        (TIME, Argument("current", "current at the end", "y", 0.1, 2.0), CHARGED),
        use="current through a coil and a resistor once a voltage is applied; the time constant is L/R",
        source=f"{CIRCUITS}, sec. 1.5",
        aliases="rl, rl_circuit, inductor_charging",
        y="current",
    ),
    Curve(
        "diode",
        "Diode (Shockley)",
        "saturation*(exp(x/(ideality*thermal_voltage)) - 1)",
        (
            Argument("x", "voltage across the diode", "V", 0.3, 0.75),
            Argument("saturation", "current in reverse", "y", 1e-12, 1e-8),
            Argument("ideality", "ideality factor, 1 to 2", "1", 1.0, 2.0, start="0.5 to 4"),
            Argument("thermal_voltage", "k T / e; at 300 K", "V", 0.0259, 0.0259, default="0.025852"),
        ),
        use="current of a diode or a solar cell in the dark",
        source="Sze & Ng, Physics of Semiconductor Devices, 3rd ed. (2007), ch. 2",
        aliases="shockley, diode_equation, pn_junction",
        y="current",
    ),
    Curve(
        "airy_disk",
        "Airy pattern of a round opening",
        "height*(j0((x - center)/width) + jn(2, (x - center)/width))^2",
        (PLACE, HEIGHT, CENTER, Argument("width", "scale; the first dark ring is at 3.83 of it", "x", 1.0, 2.5)),
        use="diffraction by a round opening: stars, microscopes, pinholes",
        source=f"{OPTICS}, sec. 10.2",
        aliases="airy, airy_pattern",
        y="intensity",
    ),
    Curve(
        "sinc_squared",
        "Squared sinc: diffraction by a slit",
        "height*sinc((x - center)/width)^2",
        (PLACE, HEIGHT, CENTER, Argument("width", "distance from the maximum to the first zero", "x", 2.0, 6.0)),
        use="diffraction by a slit; lines of a source that is seen for a limited time",
        source=f"{OPTICS}, sec. 10.2",
        aliases="sinc2, single_slit, sinc",
        y="intensity",
    ),
    Curve(
        "fabry_perot",
        "Fabry-Perot transmission (Airy function)",
        "height/(1 + finesse*sin(pi*(x - center)/spacing)^2)",
        (
            PLACE,
            HEIGHT,
            Argument("center", "place of a maximum", "x", -2.0, 2.0),
            Argument("spacing", "distance between maxima: the free spectral range", "x", 4.0, 9.0),
            Argument("finesse", "coefficient of finesse", "1", 2.0, 20.0),
        ),
        use="light through two mirrors that face each other",
        source=f"{OPTICS}, sec. 9.6",
        aliases="airy_function, etalon",
        y="transmission",
    ),
    Curve(
        "gaussian_beam",
        "Radius of a Gaussian beam",
        "waist*sqrt(1 + ((x - focus)/rayleigh_length)^2)",
        (
            Argument("x", "place along the beam", "x", -10.0, 10.0),
            Argument("waist", "radius at the focus", "y", 0.05, 1.0),
            Argument("focus", "place of the focus", "x", -3.0, 3.0),
            Argument("rayleigh_length", "distance at which the area has doubled", "x", 1.0, 4.0),
        ),
        use="radius of a laser beam around its focus",
        source="Siegman, Lasers (1986), ch. 17",
        aliases="beam_waist, beam_radius",
        y="radius",
    ),
)
