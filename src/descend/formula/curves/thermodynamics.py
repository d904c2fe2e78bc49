"""Temperature: rates, vapour pressures and viscosities."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Thermodynamics and rates"
KELVIN = Argument("x", "absolute temperature", "K", 280.0, 360.0)
GAS = Argument("gas_constant", "molar gas constant", "J/mol/K", 8.314, 8.314, default="8.314462618")
CHEMISTRY = "Atkins & de Paula, Physical Chemistry, 10th ed. (2014)"

ENTRIES = (
    Curve(
        "arrhenius",
        "Arrhenius law",
        "prefactor*exp(-energy/(gas_constant*x))",
        (
            KELVIN,
            Argument("prefactor", "rate at infinite temperature", "y", 1e6, 1e12),
            Argument("energy", "activation energy", "J/mol", 3e4, 1e5),
            GAS,
        ),
        use="rate of a reaction or of diffusion by temperature",
        source=f"{CHEMISTRY}, ch. 20",
        aliases="arrhenius_law, activation_energy",
        y="rate",
        logarithmic=True,
    ),
    Curve(
        "eyring",
        "Eyring equation",
        "boltzmann_over_planck*x*exp(entropy/gas_constant - enthalpy/(gas_constant*x))",
        (
            KELVIN,
            Argument("enthalpy", "enthalpy of activation", "J/mol", 4e4, 1e5),
            Argument("entropy", "entropy of activation", "J/mol/K", -100.0, 50.0),
            GAS,
            Argument(
                "boltzmann_over_planck",
                "Boltzmann's constant over Planck's",
                "1/K/s",
                2.08e10,
                2.08e10,
                default="2.083661912e10",
            ),
        ),
        use="rate constant by temperature, in terms of the transition state",
        source=f"{CHEMISTRY}, ch. 21",
        aliases="eyring_equation, transition_state",
        y="rate",
        logarithmic=True,
    ),
    Curve(
        "antoine",
        "Antoine equation",
        "unit*10^(a - b/(x + c))",
        (
            Argument("x", "temperature, usually in degrees Celsius", "x", 10.0, 100.0),
            Argument("a", "log10 of the pressure at infinite temperature, in its unit", "1", 6.8, 8.2),
            Argument("b", "slope", "x", 1100.0, 1800.0, start="0.3*(x_max + 273) to 30*(x_max + 273)"),
            Argument("c", "shift of the temperature", "x", 190.0, 250.0, start="-0.9*x_min to 400"),
            Argument("unit", "the unit of the pressure, of which a is the logarithm", "y", 1.0, 1.0, default="1"),
        ),
        use="vapour pressure by temperature",
        source="Poling, Prausnitz & O'Connell, The Properties of Gases and Liquids, 5th ed. (2001), ch. 7",
        aliases="antoine_equation",
        y="pressure",
        logarithmic=True,
    ),
    Curve(
        "clausius_clapeyron",
        "Clausius-Clapeyron equation",
        "pressure*exp(-enthalpy/gas_constant*(1/x - 1/reference))",
        (
            KELVIN,
            Argument("pressure", "pressure at the reference temperature", "y", 1.0, 50.0),
            Argument("enthalpy", "enthalpy of vaporisation", "J/mol", 2.5e4, 5e4),
            Argument("reference", "reference temperature", "K", 298.15, 298.15, default="298.15"),
            GAS,
        ),
        use="vapour pressure by absolute temperature, over a range where the enthalpy is constant",
        source=f"{CHEMISTRY}, ch. 4",
        aliases="clapeyron",
        y="pressure",
        logarithmic=True,
    ),
    Curve(
        "vogel_fulcher_tammann",
        "Vogel-Fulcher-Tammann law",
        "prefactor*exp(strength/(x - vogel))",
        (
            Argument("x", "absolute temperature", "K", 300.0, 500.0),
            Argument("prefactor", "value at infinite temperature", "y", 1e-5, 1e-3),
            Argument("strength", "how fast it changes", "K", 700.0, 2000.0, start="0.3*x_span to 100*x_span"),
            Argument("vogel", "temperature at which it would diverge", "K", 180.0, 260.0, start="0 to x_min"),
        ),
        use="viscosity or relaxation time of a liquid that becomes a glass",
        source="Angell (1995), Science 267, 1924-1935",
        aliases="vft, vogel, vogel_fulcher",
        y="viscosity",
        logarithmic=True,
    ),
    Curve(
        "planck",
        "Planck's law of radiation",
        "scale/x^5/expm1(second_radiation/(x*temperature))",
        (
            Argument("x", "wavelength", "um", 0.3, 4.0),
            Argument("scale", "first radiation constant, times area and efficiency", "y*um^5", 1.0, 100.0),
            Argument(
                "temperature",
                "temperature of the body",
                "K",
                2500.0,
                6000.0,
                start="0.1*14388/(5*x_max) to 10*14388/(5*x_min)",
            ),
            Argument(
                "second_radiation",
                "second radiation constant, h c / k",
                "um*K",
                14387.77,
                14387.77,
                default="14387.76877",
            ),
        ),
        use="spectrum of a hot body by wavelength in micrometres",
        source=f"{CHEMISTRY}, ch. 7",
        aliases="planck_law, black_body, blackbody",
        y="radiance",
    ),
)
