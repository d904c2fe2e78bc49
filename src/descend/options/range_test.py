"""Which options of a fit have no part in a learning-rate range test."""

from __future__ import annotations

WITHOUT = (
    *("learning_rate", "schedule", "schedule_every", "epochs", "tolerance", "time_limit", "checkpoint", "resume"),
    *("patience", "min_delta", "keep", "monitor", "metrics", "callbacks", "ema", "sharpness", "by", "outliers"),
    *("x_sigma", "variance", "dispersion", "like", "quantities", "errors"),
)
"""Options of a fit that say nothing about single steps, or pose other problems than one."""
