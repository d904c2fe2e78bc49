"""Why a run failed, or ended short of what it could reach; and what a descent will do, before its first step.

What looks for the cause, `detectors.diagnose`, is loaded when somebody asks: a healthy fit never does.
"""

from descend.diagnosis.cause import Cause, Diagnosis

__all__ = ["Cause", "Diagnosis"]
