"""The checks, one kind of fault each; a new one is a new file and a line here."""

from __future__ import annotations

from descend.doctor.checks.accumulation import Accumulation
from descend.doctor.checks.activations import Activations
from descend.doctor.checks.attributes import Attributes
from descend.doctor.checks.axes import Axes
from descend.doctor.checks.batches import Batches
from descend.doctor.checks.clipping import Clipping
from descend.doctor.checks.detachment import Detachment
from descend.doctor.checks.divisors import Divisors
from descend.doctor.checks.errors import Errors
from descend.doctor.checks.evaluation import Evaluation
from descend.doctor.checks.gradients import Gradients
from descend.doctor.checks.graphs import Graphs
from descend.doctor.checks.held_out import HeldOut
from descend.doctor.checks.hits import Hits
from descend.doctor.checks.initial import Initial
from descend.doctor.checks.kept import Kept
from descend.doctor.checks.labels import Labels
from descend.doctor.checks.metrics import Metrics
from descend.doctor.checks.modes import Modes
from descend.doctor.checks.objective import Objective
from descend.doctor.checks.optimizers import Optimizers
from descend.doctor.checks.parameters import Parameters
from descend.doctor.checks.positions import Positions
from descend.doctor.checks.ranking import Ranking
from descend.doctor.checks.rates import Rates
from descend.doctor.checks.repeats import Repeats
from descend.doctor.checks.scales import Scales
from descend.doctor.checks.schedules import Schedules
from descend.doctor.checks.scores import Scores
from descend.doctor.checks.shapes import Shapes
from descend.doctor.checks.shuffles import Shuffles
from descend.doctor.checks.standardised import Standardised
from descend.doctor.checks.statistics import Statistics
from descend.doctor.checks.steps import Steps
from descend.doctor.checks.thresholds import Thresholds
from descend.doctor.checks.values import Values
from descend.doctor.checks.zeroing import Zeroing
from descend.doctor.contract import Check

CHECKS: tuple[type[Check], ...] = (
    *(Errors, Attributes, Detachment, Zeroing, Accumulation, Parameters, Optimizers, Gradients),
    *(Objective, Ranking, Labels, Batches, Repeats, Scales, Initial, Clipping, Schedules, Steps, Rates),
    *(Values, Shapes, Axes, Activations, Positions, Scores, Modes, Evaluation, Hits, HeldOut),
    *(Graphs, Kept, Thresholds),
    *(Metrics, Divisors, Shuffles, Statistics, Standardised),
)
"""In the order in which findings are shown; those that read `Run.rows` come after `Batches`, which keeps it."""
