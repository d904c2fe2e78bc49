"""Laws of the sciences, as they stand in people's notebooks."""

import numpy as np
from scipy import constants
from tests.tracing.corpus.entry import entry

R = 8.314462618
kB = 8.617333262e-5  # eV/K
F = constants.physical_constants["Faraday constant"][0]
C = np.geomspace(0.01, 100, 40)
T = np.linspace(0.05, 8, 70)
KELVIN = np.linspace(280.0, 360.0, 30)


@entry(C, dict(bottom=0.2, top=2.0, ec50=1.7, n=1.4), 0.01)
def hill(c, bottom, top, ec50, n):
    return bottom + (top - bottom) * c**n / (ec50**n + c**n)


@entry(C, dict(A=2.1, B=1.2, C=1.5, D=0.2), 0.01)
def four_parameter_logistic(x, A, B, C, D):
    return (A - D) / (1.0 + ((x / C) ** B)) + D


@entry(C, dict(A=2.1, B=1.2, C=1.5, D=0.2, E=0.7), 0.005)
def five_parameter_logistic(x, A, B, C, D, E):
    return D + (A - D) / np.power(1 + np.power(x / C, B), E)


@entry(np.log10(C), dict(bottom=1.0, top=9.0, logIC50=0.3, slope=1.1), 0.05)
def dose_response(logx, bottom, top, logIC50, slope):
    return bottom + (top - bottom) / (1 + 10 ** ((logIC50 - logx) * slope))


@entry(C, dict(Vmax=3.0, Km=2.2), 0.02)
def michaelis_menten(S, Vmax, Km):
    return Vmax * S / (Km + S)


@entry(C, dict(Vmax=3.0, Km=1.2, Ki=30.0), 0.01)
def substrate_inhibition(S, Vmax, Km, Ki):
    return Vmax * S / (Km + S * (1 + S / Ki))


@entry(C, dict(Bmax=2.0, Kd=0.8), 0.01)
def tight_binding(L, Bmax, Kd):
    E0 = 1.0
    b = E0 + L + Kd
    return Bmax * (b - np.sqrt(b**2 - 4 * E0 * L)) / (2 * E0)


@entry(KELVIN, dict(lnA=20.0, Ea=50.0), 0.01)
def arrhenius(T, lnA, Ea):
    return np.exp(lnA - Ea * 1e3 / (R * T))


@entry(KELVIN, dict(dH=60.0, dS=-20.0), 0.05)
def eyring(T, dH, dS):
    return constants.k * T / constants.h * np.exp(dS / R) * np.exp(-dH * 1000 / (R * T))


@entry(np.linspace(0.2, 3.0, 50), dict(scale=1.0, T=5500.0), 0.2)
def planck(lam, scale, T):
    lam = lam * 1e-6
    h, c, k = constants.h, constants.c, constants.k
    return scale * 1e-12 * 2 * h * c**2 / lam**5 / (np.exp(h * c / (lam * k * T)) - 1)


@entry(np.linspace(-0.15, 0.15, 41), dict(i0=0.8, alpha=0.45), 0.05)
def butler_volmer(eta, i0, alpha):
    f = F / (R * 298.15)
    return i0 * (np.exp(alpha * f * eta) - np.exp(-(1 - alpha) * f * eta))


@entry(np.linspace(0.0, 0.7, 36), dict(I0=2.0, n=1.6), 0.05)
def shockley_diode(V, I0, n):
    return I0 * 1e-6 * np.expm1(V / (n * 0.02585))


@entry(np.linspace(0.7, 4.0, 50), dict(D=4.5, a=1.9, re=1.1, E0=-4.4), 0.02)
def morse(r, D, a, re, E0):
    return D * (1 - np.exp(-a * (r - re))) ** 2 + E0


@entry(np.linspace(0.95, 2.5, 40), dict(epsilon=1.2, sigma=1.0), 0.02)
def lennard_jones(r, epsilon, sigma):
    sr6 = (sigma / r) ** 6
    return 4 * epsilon * (sr6**2 - sr6)


@entry(C, dict(eta0=50.0, eta_inf=1.0, lam=2.0, n=0.4, a=1.6), 0.02)
def carreau_yasuda(rate, eta0, eta_inf, lam, n, a):
    return eta_inf + (eta0 - eta_inf) * (1 + (lam * rate) ** a) ** ((n - 1) / a)


@entry(C, dict(tau0=3.0, K=2.0, n=0.6), 0.02)
def herschel_bulkley(gamma_dot, tau0, K, n):
    return tau0 + K * gamma_dot**n


@entry(C, dict(eta0=50.0, eta_inf=1.0, lam=2.0, m=0.8), 0.05)
def cross_viscosity(rate, eta0, eta_inf, lam, m):
    return eta_inf + (eta0 - eta_inf) / (1 + np.power(lam * rate, m))


@entry(np.linspace(20.0, 100.0, 33), dict(A=8.07, B=1730.6, C=233.4), 0.5)
def antoine(T, A, B, C):
    return 10 ** (A - B / (C + T))


@entry(np.geomspace(1, 1e4, 30), dict(theta_r=0.06, theta_s=0.45, alpha=0.02, n=1.6), 0.002)
def van_genuchten(h, theta_r, theta_s, alpha, n):
    m = 1 - 1 / n
    return theta_r + (theta_s - theta_r) / (1 + (alpha * h) ** n) ** m


@entry(T, dict(A=0.8, tau=1.5, B=0.1), 0.01)
def frap(t, A, tau, B):
    return A * (1 - np.exp(-np.log(2) * t / tau)) + B


@entry(T, dict(A1=3.0, k1=2.0, A2=1.5, k2=0.2), 0.005)
def biexponential(t, A1, k1, A2, k2):
    return A1 * np.exp(-k1 * t) + A2 * np.exp(-k2 * t)


@entry(T, dict(A=2.0, tau=3.0, f=0.6, phi=0.4, c=0.1), 0.02, dict(A=1.8, tau=3.3, f=0.58, phi=0.5, c=0.08))
def damped_sine(t, A, tau, f, phi, c):
    return A * np.exp(-t / tau) * np.sin(2 * np.pi * f * t + phi) + c


@entry(T, dict(A=2.0, tau=1.4, beta=0.6), 0.01)
def stretched_exponential(t, A, tau, beta):
    return A * np.exp(-((t / tau) ** beta))


@entry(T, dict(K=10.0, r=1.2, t0=3.0), 0.05)
def logistic_growth(t, K, r, t0):
    return K / (1 + np.exp(-r * (t - t0)))


@entry(T, dict(A=9.0, mu=2.5, lag=1.4), 0.05)
def modified_gompertz(t, A, mu, lag):
    return A * np.exp(-np.exp(mu * np.e / A * (lag - t) + 1))


@entry(T, dict(K=10.0, r=1.2, t0=2.0, nu=0.6), 0.02)
def richards(t, K, r, t0, nu):
    return K * (1 + nu * np.exp(-r * (t - t0))) ** (-1 / nu)


@entry(C, dict(qmax=4.0, K=0.9, n=1.4), 0.01)
def sips_isotherm(p, qmax, K, n):
    t = (K * p) ** (1 / n)
    return qmax * t / (1 + t)


@entry(np.linspace(0.02, 0.6, 30), dict(vm=12.0, c=60.0), 0.05)
def bet_isotherm(p, vm, c):
    return vm * c * p / ((1 - p) * (1 + (c - 1) * p))


@entry(np.linspace(0.4, 1.6, 40), dict(B1=1.04, L1=0.02), 1e-3)
def sellmeier(lam, B1, L1):
    l2 = lam**2
    n2 = 1 + B1 * l2 / (l2 - L1) + 1.01 * l2 / (l2 - 103.56)
    return np.sqrt(n2)


@entry(np.linspace(0.85, 1.1, 30), dict(E0=-10.0, V0=1.0, B0=6.0, B1=4.5), 0.001)
def birch_murnaghan(V, E0, V0, B0, B1):
    eta = (V0 / V) ** (2.0 / 3.0)
    return E0 + 9.0 * V0 * B0 / 16.0 * ((eta - 1.0) ** 3 * B1 + (eta - 1.0) ** 2 * (6.0 - 4.0 * eta))


@entry(np.geomspace(1000.0, 40000.0, 25), dict(A=1.1e-3, B=2.4e-4, C=8e-8), 0.01)
def steinhart_hart(R, A, B, C):
    lnR = np.log(R)
    return 1 / (A + B * lnR + C * lnR**3) - 273.15


@entry(T, dict(M0=3.0, T1=1.7, inv=1.9), 0.01)
def inversion_recovery_magnitude(TI, M0, T1, inv):
    return np.abs(M0 * (1 - inv * np.exp(-TI / T1)))


@entry(np.linspace(-5, 5, 50), dict(Ms=3.0, a=0.8, chi=0.1), 0.01)
def langevin_magnetization(H, Ms, a, chi):
    u = H / a
    return Ms * (1 / np.tanh(u) - 1 / u) + chi * H


@entry(np.linspace(0, 2000, 40), dict(Pmax=25.0, phi=0.06, theta=0.8, Rd=1.2), 0.05)
def non_rectangular_hyperbola(I, Pmax, phi, theta, Rd):
    s = phi * I + Pmax
    return (s - np.sqrt(s**2 - 4 * theta * phi * I * Pmax)) / (2 * theta) - Rd


@entry(np.linspace(0.01, 1.5, 50), dict(H0=70.0, Om=0.3), 2.0)
def hubble_rate(z, H0, Om):
    return H0 * np.sqrt(Om * (1 + z) ** 3 + (1 - Om))


@entry(np.linspace(-4, 4, 60), dict(mu=0.4, sigma=0.9, guess=0.12, lapse=0.05), 0.005)
def psychometric(x, mu, sigma, guess, lapse):
    from scipy.special import ndtr

    return guess + (1 - guess - lapse) * ndtr((x - mu) / sigma)


@entry(np.geomspace(0.05, 50, 40), dict(a=3.0, b1=-0.5, b2=-2.2, xb=3.0, delta=0.3), 0.01)
def smoothly_broken_power_law(x, a, b1, b2, xb, delta):
    return a * (x / xb) ** b1 * (0.5 * (1 + (x / xb) ** (1 / delta))) ** ((b2 - b1) * delta)


@entry(np.linspace(300, 450, 40), dict(D0=2.0, B=3.0, T0=230.0), 0.02)
def vogel_fulcher(T, D0, B, T0):
    return D0 + B * T0 / (T - T0)


@entry(np.linspace(0.0, 40.0, 50), dict(b=0.05, Tmin=3.0, c=0.25, Tmax=38.5), 0.005)
def ratkowsky(T, b, Tmin, c, Tmax):
    return (b * (T - Tmin) * (1 - np.exp(c * (T - Tmax)))) ** 2


@entry(np.linspace(0.5, 12, 50), dict(a=2.5, b=1.0, c=0.6), 0.01)
def wind_profile(z, a, b, c):
    return a / 0.4 * np.log((z + b) / c)
