"""Peaks and spectra, as they are written in laboratories."""

import numpy as np
from scipy import special
from scipy.special import erf, erfc, erfcx, voigt_profile, wofz
from scipy.stats import norm
from tests.tracing.corpus.entry import entry

AXIS = np.linspace(0, 10, 81)


@entry(AXIS, dict(a=3.0, m=4.6, s=0.8, c=0.5), 0.02)
def gaussian(x, a, m, s, c):
    return a * np.exp(-(((x - m) / s) ** 2)) + c


@entry(AXIS, dict(amplitude=3.0, center=5.2, sigma=0.7), 0.02)
def lorentzian(x, amplitude, center, sigma):
    """lmfit's"""
    return (amplitude / (1 + ((1.0 * x - center) / max(1e-15, sigma)) ** 2)) / max(1e-15, (np.pi * sigma))


@entry(AXIS, dict(a1=3.0, m1=3.0, s1=0.6, a2=2.0, m2=6.4, s2=0.9, a3=1.0, m3=8.3, s3=0.4), 0.02, whole=True)
def peaks_in_a_loop(x, *params):
    y = np.zeros_like(x)
    for i in range(0, len(params), 3):
        amp, ctr, wid = params[i], params[i + 1], params[i + 2]
        y = y + amp * np.exp(-(((x - ctr) / wid) ** 2))
    return y


@entry(AXIS, dict(a1=3.0, m1=3.0, s1=0.6, a2=2.0, m2=6.4, s2=0.9, bg=0.3, slope=0.05), 0.02)
def two_peaks_on_a_line(x, a1, m1, s1, a2, m2, s2, bg, slope):
    y = bg + slope * x
    for a, m, s in [(a1, m1, s1), (a2, m2, s2)]:
        y += a * np.exp(-0.5 * ((x - m) / s) ** 2) / (s * np.sqrt(2 * np.pi))
    return y


@entry(AXIS, dict(a1=3.0, a2=2.0, m1=3.0, m2=6.4, w=0.7), 0.02)
def components_by_broadcasting(x, a1, a2, m1, m2, w):
    amplitudes = np.array([a1, a2])
    centers = np.array([m1, m2])
    return np.sum(amplitudes * np.exp(-((x[:, None] - centers) ** 2) / (2 * w**2)), axis=1)


@entry(AXIS, dict(amplitude=np.array([3.0, 2.0, 1.0]), center=np.array([2.5, 5.0, 8.0]), width=0.6), 0.02)
def vectors_of_peaks(x, amplitude, center, width):
    total = 0.0
    for k in range(len(amplitude)):
        total = total + amplitude[k] / (1 + ((x - center[k]) / width) ** 2)
    return total


@entry(AXIS, dict(amplitude=np.array([3.0, 2.0]), center=np.array([2.5, 6.0]), width=np.array([0.5, 0.9])), 0.02)
def vectors_broadcast(x, amplitude, center, width):
    return (amplitude[None, :] * np.exp(-(((x[:, np.newaxis] - center) / width) ** 2))).sum(axis=-1)


@entry(AXIS, dict(A=4.0, x0=4.8, sigma=0.5, gamma=0.3), 0.01)
def voigt_by_wofz(x, A, x0, sigma, gamma):
    z = ((x - x0) + 1j * gamma) / (sigma * np.sqrt(2))
    return A * np.real(wofz(z)) / (sigma * np.sqrt(2 * np.pi))


@entry(AXIS, dict(A=4.0, x0=4.8, fwhm_g=1.1, fwhm_l=0.7), 0.01)
def voigt_by_widths(x, A, x0, fwhm_g, fwhm_l):
    sigma = fwhm_g / np.sqrt(8 * np.log(2))
    return A * wofz((x - x0 + 1j * fwhm_l / 2) / sigma / np.sqrt(2)).real / sigma / np.sqrt(2 * np.pi)


@entry(AXIS, dict(A=4.0, x0=4.8, sigma=0.5, gamma=0.3, c=0.2), 0.01)
def voigt_by_profile(x, A, x0, sigma, gamma, c):
    return A * voigt_profile(x - x0, sigma, gamma) + c


@entry(AXIS, dict(A=3.0, x0=5.0, w=0.9, eta=0.4), 0.02)
def pseudo_voigt(x, A, x0, w, eta):
    def gauss(u):
        return np.exp(-4 * np.log(2) * u**2)

    def lorentz(u):
        return 1 / (1 + 4 * u**2)

    u = (x - x0) / w
    return A * (eta * lorentz(u) + (1 - eta) * gauss(u))


@entry(AXIS, dict(h=3.0, m=4.0, left=0.7, right=1.6), 0.02)
def split_gaussian(x, h, m, left, right):
    s = np.where(x < m, left, right)
    return h * np.exp(-((x - m) ** 2) / (2 * s**2))


@entry(AXIS, dict(h=3.0, mu=3.0, sigma=0.5, tau=1.1), 0.02)
def exponentially_modified_gaussian(x, h, mu, sigma, tau):
    return (
        h
        * sigma
        / tau
        * np.sqrt(np.pi / 2)
        * np.exp(0.5 * (sigma / tau) ** 2 - (x - mu) / tau)
        * erfc((sigma / tau - (x - mu) / sigma) / np.sqrt(2))
    )


@entry(AXIS, dict(h=3.0, mu=5.0, sigma=0.6, tau=0.9), 0.02)
def exponentially_modified_by_erfcx(t, h, mu, sigma, tau):
    z = (sigma / tau - (t - mu) / sigma) / np.sqrt(2)
    return h * np.exp(-0.5 * ((t - mu) / sigma) ** 2) * sigma / tau * np.sqrt(np.pi / 2) * erfcx(z)


@entry(AXIS, dict(A=5.0, x0=4.0, w=1.2, alpha=2.5), 0.02)
def skewed_gaussian(x, A, x0, w, alpha):
    z = (x - x0) / w
    return A / w * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (1 + erf(alpha * z / np.sqrt(2)))


@entry(AXIS, dict(A=5.0, loc=4.0, scale=1.2, shape=2.5), 0.02)
def skewed_by_scipy_stats(x, A, loc, scale, shape):
    z = (x - loc) / scale
    return 2 * A / scale * norm.pdf(z) * norm.cdf(shape * z)


@entry(AXIS, dict(A=5.0, mu=4.5, sd=0.9), 0.02)
def norm_with_loc_and_scale(x, A, mu, sd):
    return A * norm.pdf(x, mu, sd)


@entry(AXIS, dict(A=5.0, mu=4.5, sd=0.9), 0.02)
def norm_cdf_by_keywords(x, A, mu, sd):
    return A * norm(loc=mu, scale=sd).cdf(x)


@entry(AXIS[1:], dict(A=4.0, m=1.2, s=0.4), 0.02)
def log_normal(x, A, m, s):
    return A / (x * s * np.sqrt(2 * np.pi)) * np.exp(-((np.log(x) - m) ** 2) / (2 * s**2))


@entry(AXIS, dict(I0=3.0, x0=5.0, w=1.2, m=1.8), 0.02)
def pearson_vii(x, I0, x0, w, m):
    return I0 * np.power(1 + ((x - x0) / w) ** 2 * (2 ** (1 / m) - 1), -m)


@entry(AXIS, dict(sigma0=2.0, q=1.7, E0=5.0, gamma=0.9), 0.02)
def fano(x, sigma0, q, E0, gamma):
    eps = 2 * (x - E0) / gamma
    return sigma0 * (eps + q) ** 2 / (eps**2 + 1)


@entry(AXIS, dict(A=2.0, x0=5.0, gamma=0.6, alpha=0.15), 0.02)
def doniach_sunjic(x, A, x0, gamma, alpha):
    arg = (np.pi * alpha) / 2 + (1 - alpha) * np.arctan((x - x0) / gamma)
    return A * np.cos(arg) / (gamma**2 + (x - x0) ** 2) ** ((1 - alpha) / 2)


@entry(AXIS, dict(A=2.0, b0=5.1, dB=0.8), 0.01)
def epr_derivative(B, A, b0, dB):
    u = (B - b0) / dB
    return -A * 2 * u / (1 + u**2) ** 2


@entry(AXIS, dict(A=2.0, f0=5.1, kappa=0.8), 0.01)
def complex_lorentzian(x, A, f0, kappa):
    return np.abs(A / (1 + 2j * (x - f0) / kappa)) ** 2


@entry(AXIS, dict(A=2.0, t0=5.0, tau=0.9), 0.01)
def sech_squared(x, A, t0, tau):
    return A / np.cosh((x - t0) / tau) ** 2


@entry(AXIS, dict(A=6.0, w=1.4, x0=0.3), 0.02, {"A": 5.0, "w": 1.5, "x0": 0.25})
def diffraction(x, A, w, x0):
    return A * np.sinc((x - x0) / w) ** 2


@entry(AXIS + 0.1, dict(I0=5.0, k=1.3, x0=0.05), 0.01)
def airy_disk(x, I0, k, x0):
    u = k * (x - x0)
    return I0 * (2 * special.j1(u) / u) ** 2


@entry(AXIS, dict(a=3.0, m=4.0, s=0.7, a2=1.0, m2=6.0, s2=0.5), 0.02)
def sum_of_a_generator(x, a, m, s, a2, m2, s2):
    parts = ((a, m, s), (a2, m2, s2))
    return sum(h * np.exp(-((x - c) ** 2) / w**2) for h, c, w in parts)


def make_model(n_peaks, shape="gauss"):
    shapes = {"gauss": lambda u: np.exp(-(u**2)), "lorentz": lambda u: 1 / (1 + u * u)}
    profile = shapes[shape]

    def model(x, *p):
        heights, centers, widths = p[:n_peaks], p[n_peaks : 2 * n_peaks], p[2 * n_peaks :]
        return sum(h * profile((x - c) / w) for h, c, w in zip(heights, centers, widths))

    return model


entry(AXIS, dict(h1=3.0, h2=2.0, c1=3.0, c2=7.0, w1=0.8, w2=0.6), 0.02, name="closure_of_peaks", whole=True)(
    make_model(2, "lorentz")
)
