"""Why a run failed or fell short of what it could reach; and, before the first step, what a descent will do.

The search for the cause, `detectors.diagnose`, is imported only when needed, which it never is for a healthy fit.
"""

from descend.diagnosis.cause import Cause, Diagnosis

__all__ = ["Cause", "Diagnosis"]
