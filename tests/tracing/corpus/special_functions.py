"""Special functions, distributions and complex numbers."""

import cmath
import math

import numpy as np
import scipy.special as sc
from scipy import special, stats
from scipy.special import expit, gamma, gammainc, gammaln, jv, kv, lambertw, ndtr
from tests.tracing.corpus.entry import entry

X = np.linspace(0.1, 6, 60)
OMEGA = np.geomspace(0.01, 100, 50)


@entry(X, dict(c0=1.0, D=0.8, v=0.5), 0.005)
def diffusion_front(x, c0, D, v):
    t = 2.0
    return c0 / 2 * special.erfc((x - v * t) / (2 * np.sqrt(D * t)))


@entry(X, dict(a=2.0, mu=2.5, s=1.1), 0.01)
def error_function_edge(x, a, mu, s):
    return a * (1 + special.erf((x - mu) / (np.sqrt(2) * s))) / 2


@entry(X, dict(a=2.0, alpha=2.6, beta=1.3), 0.005)
def gamma_variate(t, a, alpha, beta):
    return a * t ** (alpha - 1) * np.exp(-t / beta) / (beta**alpha * gamma(alpha))


@entry(X, dict(a=2.0, alpha=2.6, scale=1.3), 0.005)
def gamma_cdf(t, a, alpha, scale):
    return a * gammainc(alpha, t / scale)


@entry(X, dict(a=1.4, b=0.6, c=-2.0), 0.005)
def log_gamma(x, a, b, c):
    return a * gammaln(x + b) + c


@entry(X, dict(a=2.0, k=1.7, c=0.3), 0.02)
def bessel_of_order_two(x, a, k, c):
    return a * jv(2, k * x) + c


@entry(X, dict(a=2.0, k=1.7, c=0.3), 0.02)
def bessel_zero_and_one(x, a, k, c):
    return a * special.j0(k * x) + c * special.j1(k * x)


@entry(X, dict(s=2.0, B=2.5), 0.01)
def theis_by_k0(r, s, B):
    return s * kv(0, r / B)


@entry(X, dict(a=2.0, k=0.4), 0.02)
def modified_bessel(x, a, k):
    return a * special.i0(k * x) * np.exp(-k * x) + special.ive(1, k * x)


@entry(X, dict(a=2.0, b=1.3, m=2.2), 0.01)
def expit_of_scipy(x, a, b, m):
    return a * expit(b * (x - m))


@entry(np.linspace(0.05, 0.95, 40), dict(a=2.0, b=1.3), 0.02)
def logit_of_scipy(p, a, b):
    return a + b * sc.logit(p)


@entry(X, dict(a=2.0, m=2.2, s=0.8), 0.01)
def probit(x, a, m, s):
    return a * ndtr((x - m) / s)


@entry(X, dict(a=1.6, b=0.8), 0.01)
def lambert(x, a, b):
    return a * np.real(lambertw(b * x))


@entry(X, dict(vmax=1.2, km=1.5, s0=4.0), 0.01)
def michaelis_by_lambert(t, vmax, km, s0):
    return km * lambertw(s0 / km * np.exp((s0 - vmax * t) / km)).real


@entry(X, dict(a=1.6, b=0.8, c=0.3), 0.01)
def digamma(x, a, b, c):
    return a * special.digamma(x + b) + c


@entry(X, dict(a=1.6, b=0.3), 0.01)
def xlogy_and_log1p(x, a, b):
    return a * special.xlogy(x, x) + np.log1p(b * x) - np.expm1(-b * x)


@entry(np.linspace(0.02, 0.98, 40), dict(a=2.0, p=2.3, q=1.4), 0.005)
def beta_cdf(x, a, p, q):
    return a * special.betainc(p, q, x)


@entry(np.linspace(0.0, 0.95, 40), dict(a=2.0, k=0.9), 0.005)
def pendulum_period(m, a, k):
    return a * special.ellipk(k * m)


@entry(X, dict(Q=2.0, S=0.6), 0.005)
def theis_well(t, Q, S):
    return Q * special.exp1(S / t)


@entry(X, dict(A=4.0, k=1.7, lam=2.1), 0.01)
def weibull_of_stats(x, A, k, lam):
    return A * stats.weibull_min.pdf(x, k, scale=lam)


@entry(X, dict(A=4.0, s=0.6, scale=2.1), 0.01)
def lognormal_of_stats(x, A, s, scale):
    return A * stats.lognorm.pdf(x, s, loc=0, scale=scale)


@entry(X, dict(A=4.0, alpha=2.4, beta=1.7), 0.01)
def gamma_of_stats(x, A, alpha, beta):
    return A * stats.gamma(alpha, scale=1 / beta).pdf(x)


@entry(X, dict(A=4.0, m=2.4, s=0.7), 0.01)
def cauchy_of_stats(x, A, m, s):
    return A * stats.cauchy.pdf(x, loc=m, scale=s)


@entry(OMEGA, dict(A=2.0, tau=0.7), 0.01)
def low_pass_magnitude(w, A, tau):
    return A * np.abs(1 / (1 + 1j * w * tau))


@entry(OMEGA, dict(eps_inf=2.0, d_eps=5.0, tau=0.7), 0.01)
def debye_loss(w, eps_inf, d_eps, tau):
    eps = eps_inf + d_eps / (1 + 1j * w * tau)
    return eps.real - 0.5 * eps.imag


@entry(OMEGA, dict(eps_inf=2.0, d_eps=5.0, tau=0.7, alpha=0.8), 0.01)
def cole_cole(w, eps_inf, d_eps, tau, alpha):
    return (eps_inf + d_eps / (1 + (1j * w * tau) ** alpha)).real


@entry(OMEGA, dict(Rs=1.0, Rp=8.0, C=0.3), 0.01)
def randles_impedance(w, Rs, Rp, C):
    Zc = 1 / (1j * w * C)
    Z = Rs + 1 / (1 / Rp + 1 / Zc)
    return np.sqrt(Z.real**2 + Z.imag**2)


@entry(OMEGA, dict(tau=0.7, g=1.3), 0.005)
def phase_of_a_filter(w, tau, g):
    return g * np.angle(1 / (1 + 1j * w * tau))


@entry(np.linspace(0, 6, 60), dict(A=2.0, w=1.7, k=0.4), 0.01)
def real_part_of_an_oscillation(t, A, w, k):
    return np.real(A * np.exp((1j * w - k) * t))


@entry(np.linspace(0, 3, 40), dict(r=0.5, delta=1.4, I0=2.0), 0.01)
def fabry_perot(x, r, delta, I0):
    amplitude = (1 - r**2) / (1 - r**2 * np.exp(1j * delta * x))
    return I0 * (amplitude * amplitude.conjugate()).real


@entry(X, dict(a=2.0, k=0.4), 0.01)
def hyperbolic(x, a, k):
    return a * np.cosh(k * x) + np.arcsinh(x) - np.arctan2(x, k)


@entry(X, dict(a=2.0, b=0.6), 0.01)
def hypot_and_cube_root(x, a, b):
    return a * np.hypot(x, b) + b * np.cbrt(x) + np.exp2(-x) + np.log2(x + b)


@entry(X, dict(a=2.0, b=0.6), 0.01)
def degrees_and_reciprocal(x, a, b):
    return a * np.sin(np.deg2rad(40 * x * b)) + np.reciprocal(x + b) + np.square(x) / 30


@entry(X, dict(a=2.0, k=0.6), 0.01)
def constants_of_math(x, a, k):
    return a * np.exp(-k * x) * math.sqrt(math.pi) / math.gamma(1.5) + math.log(2) * cmath.pi / math.e


@entry(X, dict(a=1.5, n=2.4), 0.005)
def mittag_leffler_like_sum(x, a, n):
    total = 0.0
    for k in range(12):
        total = total + (-x / 3) ** k / gamma(n * k / 2 + 1)
    return a * total


@entry(X, dict(lam=2.3, a=5.0), 0.01)
def poisson_weights(x, lam, a):
    k = np.round(x)
    return a * np.exp(-lam) * lam**k / special.factorial(k)
