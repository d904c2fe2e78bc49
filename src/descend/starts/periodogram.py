"""Which frequencies rows hold: a periodogram over all of them, evenly spaced or not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.identifiability.aliases import grid_step

Array = NDArray[np.float64]
OVERSAMPLED = 4
"""Frequencies examined for each that the rows can tell apart: a peak between two of them loses a twentieth."""
BEYOND = 32
"""How far beyond the mean Nyquist frequency to look, where rows are unevenly spaced and so tell higher ones apart."""
MOST = 1 << 23
"""Most cells of the grid in which rows are gathered: a second and 200 MB, enough for 2 million rows."""
MOST_BEYOND = 1 << 21
"""Most cells for frequencies beyond the mean Nyquist limit."""
BY_CHANCE = 7.0
"""How much likelier than by chance, as a logarithm, a frequency beyond the mean Nyquist limit must be."""
ALIKE = 1e-6
"""How much higher a peak must be than one of a lower frequency."""
PERFECT = 1e-12
RATES = 256
"""Most half turns by which a wave is bent, either way."""


def frequencies(
    t: Array, residuals: Array, parts: Sequence[Array], most: int, within: tuple[float, float] = (0.0, math.inf)
) -> Array:
    """Return the angular frequencies at which ``residuals`` follow a wave best, the best first, at most ``most``.

    t: what the wave runs along, one number per row. parts: what it may be multiplied by, one number per row and part.
    within: the lowest and the highest frequency; a highest one is taken at its word, though rows may not tell it apart.

    The power of part m is  |sum m r exp(i w t)|**2 / (sum m**2 sum r**2),  about the share of the squares that a wave
    explains: Lomb's without its offset. Rows are gathered on a grid, each shared between two cells, so that a Fourier
    transform serves; what the grid takes from high frequencies is given back. Frequencies go up to Nyquist's limit of
    the mean spacing. Uneven rows are searched further; there a wave counts only if it is better than all lower ones by
    more than chance, since among many frequencies one always fits noise.

    Source: Lomb (1976), Astrophys. Space Sci. 39, 447-462; Press & Rybicki (1989), Astrophys. J. 338, 277-280.

    >>> t = np.arange(1000.0)
    >>> frequencies(t, np.sin(1.5 * t), [np.ones(1000)], 1).round(2)
    array([1.5])
    """
    usable = np.isfinite(t) & np.isfinite(residuals)
    t, residuals, parts = t[usable], residuals[usable], [series[usable] for series in parts]
    if t.size < 3 or not np.ptp(t) > 0.0 or not residuals.any():
        return np.empty(0)
    residuals = residuals / np.abs(residuals).max()
    unique_t = np.unique(t)
    span = float(unique_t[-1] - unique_t[0])
    count = OVERSAMPLED * (len(unique_t) - 1) // 2
    beyond = max(1.0, min(BEYOND, MOST_BEYOND // (2 * count)))
    # Where all rows lie on a grid, frequencies beyond its limit only repeat those below it.
    step = grid_step(unique_t)
    beyond = beyond if step is None else span / (step * (len(unique_t) - 1))
    t = (t - unique_t[0]) / span
    low, high = (OVERSAMPLED * span / (2.0 * math.pi) * each for each in within)
    beyond = high / count if math.isfinite(high) else max(beyond, 2.0 * low / count)
    power = _power(t, residuals, parts, max(2, min(math.ceil(count * beyond), MOST // 2)))
    if low > 0.0 or math.isfinite(high):
        power[: math.ceil(min(low, len(power) - 1.0))] = 0.0
    elif len(power) > count + 1:
        below, above = _peaks(power[: count + 1], 1), count + _peaks(power[count:], 1)
        gain = math.log(_left(t, residuals, parts, below)) - math.log(_left(t, residuals, parts, above))
        if 0.5 * (t.size - 3) * gain < math.log(len(power) / count) + BY_CHANCE:
            power = power[: count + 1]
    return 2.0 * math.pi / (OVERSAMPLED * span) * _peaks(power, most)


def chirps(t: Array, bend: Array, residuals: Array, most: int) -> Array:
    """Return pairs (w, k) for which ``residuals`` follow a wave in w t + k ``bend`` best, the best first.

    The part of ``bend`` that is linear in t is left to w. Then each k is taken out of the residuals, r exp(-i k bend),
    in steps of half a turn over all rows, and the result is Fourier transformed.
    """
    span = float(np.ptp(t))
    slope = float(np.polyfit(t, bend, 1)[0])
    bend = bend - slope * t
    count = OVERSAMPLED * (t.size - 1) // 2
    cells = 1 << (2 * count).bit_length()
    cell = np.rint((t - t.min()) / span * (cells / OVERSAMPLED)).astype(np.intp)
    chirp = []
    for half_turns in range(-min(RATES, t.size), min(RATES, t.size) + 1):
        rate = half_turns * math.pi / (float(np.ptp(bend)) or 1.0)
        straight = residuals * np.exp(-1j * rate * bend)
        binned = np.bincount(cell, straight.real, cells) + 1j * np.bincount(cell, straight.imag, cells)
        power = np.abs(np.fft.fft(binned)[: count + 1])
        peak = int(power.argmax())
        chirp.append((float(power[peak]), 2.0 * math.pi * peak / (OVERSAMPLED * span) - rate * slope, rate))
    return np.array([pair for _, *pair in sorted(chirp, reverse=True)[:most]])


def _power(t: Array, residuals: Array, parts: Sequence[Array], count: int) -> Array:
    """Return the power at the frequencies k / OVERSAMPLED turns over t = 0 to 1, for k = 0 to ``count``."""
    cells = 1 << (2 * count).bit_length()
    grid_phase = t * (cells / OVERSAMPLED)
    cell = grid_phase.astype(np.intp)
    share = grid_phase - cell
    total = np.zeros(count + 1)
    taper = np.sinc(np.arange(count + 1) / cells) ** 2
    for series in parts:
        values = series * residuals
        binned = np.bincount(cell, values * (1.0 - share), cells) + np.bincount(cell + 1, values * share, cells)[:cells]
        transform = np.fft.rfft(binned)[: count + 1] / taper
        squares = float(series.dot(series)) * float(residuals.dot(residuals))
        total += (transform.real**2 + transform.imag**2) * (2.0 / squares if squares > 0.0 else 0.0)
    return total


def _left(t: Array, residuals: Array, parts: Sequence[Array], wave_frequencies: Array) -> float:
    """Return the share of the squares that the best wave of this frequency leaves, together with an offset."""
    angles = [2.0 * math.pi / OVERSAMPLED * frequency * t for frequency in wave_frequencies]
    columns = [series * wave(angle) for angle in angles for series in parts for wave in (np.sin, np.cos)]
    design = np.column_stack([*columns, np.ones(t.size)])
    left = residuals - design @ np.linalg.lstsq(design, residuals, rcond=None)[0]
    return max(float(left @ left) / float(residuals @ residuals), PERFECT)


def _peaks(power: Array, most: int) -> Array:
    """Return the places of the highest local maxima, the highest first; of equal ones, the lowest frequency first."""
    inner = np.flatnonzero((power[1:-1] >= power[:-2]) & (power[1:-1] > power[2:])) + 1
    ends = [len(power) - 1] if power[-1] > power[-2] else []
    peaks = np.concatenate([inner, ends]).astype(np.intp)
    peaks = peaks[power[peaks] > 0.0]
    best = peaks[np.argsort(-power[peaks] / (1.0 + ALIKE * np.arange(len(peaks))), kind="stable")][:most]
    middle = best[(best > 0) & (best < len(power) - 1)]
    refined = best.astype(np.float64)
    left, peak, right = power[middle - 1], power[middle], power[middle + 1]
    refined[(best > 0) & (best < len(power) - 1)] += 0.5 * (left - right) / (left - 2.0 * peak + right)
    return refined
