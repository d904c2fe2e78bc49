"""Covariance where the rows of a cluster, such as a site or a patient, are not independent of each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.intp]


def of_clusters(pulled: Array, clusters: Sequence[Places], degrees: float) -> Array:
    """Return the covariance of the parameters from how far each row pulls them, (n, p), and the cluster of each row.

    With u_c the sum of the pulls of the rows of cluster c, of G:

        G / (G - 1) * (n - 1) / (n - p) * sum u_c u_c'

    which are the factors of Stata, and of R's sandwich::vcovCL with type HC1. Of several columns, V(a, b) = V(a) + V(b)
    - V(a and b), where the last has a cluster for each combination, each with its own G; eigenvalues below 0, which few
    clusters may give, count as 0, and variances below 0 are NaN.

    clusters: for each column the cluster of each row, numbered. degrees: n - p.

    Source: Liang & Zeger (1986), Biometrika 73, 13-22; Cameron, Gelbach & Miller (2011), J. Bus. Econ. Stat. 29,
    238-249.
    """
    size = pulled.shape[1]
    total = np.zeros((size, size))
    for sign, cluster_places in combinations(clusters):
        count = int(cluster_places.max()) + 1
        sums = np.empty((count, size))
        for column in range(size):
            sums[:, column] = np.bincount(cluster_places, pulled[:, column], count)
        total += sign * of_sums(sums)
    total *= (len(pulled) - 1) / degrees
    return total if len(clusters) == 1 else _without_negative(total)


def of_sums(sums: Array) -> Array:
    """Return G / (G - 1) * sum u_c u_c' for the sums of G clusters, (G, p)."""
    if len(sums) < 2:
        return np.full((sums.shape[1], sums.shape[1]), np.nan)
    meat: Array = sums.T @ sums * (len(sums) / (len(sums) - 1))
    return meat


def combinations(clusters: Sequence[Places]) -> list[tuple[float, Places]]:
    """Return, for every choice of columns, its sign and the cluster of each row, those that occur numbered from 0."""
    clusters_combined = []
    for count in range(1, len(clusters) + 1):
        for chosen in itertools.combinations(clusters, count):
            cluster = np.unique(np.stack(chosen), axis=1, return_inverse=True)[1] if count > 1 else _numbered(chosen[0])
            clusters_combined.append((-1.0 if count % 2 == 0 else 1.0, np.ravel(cluster)))
    return clusters_combined


def _numbered(cluster_places: Places) -> Places:
    numbered: Places = np.unique(cluster_places, return_inverse=True)[1]
    return numbered


def _without_negative(matrix: Array) -> Array:
    """Return a covariance with NaN for variances below 0, else with eigenvalues of at least 0."""
    negative = matrix.diagonal() < 0.0
    if negative.any():
        matrix[negative], matrix[:, negative] = np.nan, np.nan
        return matrix
    scale = np.sqrt(matrix.diagonal())
    scale = np.where(scale > 0.0, scale, 1.0)
    values, vectors = np.linalg.eigh(matrix / scale / scale[:, None])
    if values[0] >= 0.0:
        return matrix
    clipped: Array = (vectors * np.maximum(values, 0.0)) @ vectors.T * scale * scale[:, None]
    return clipped
