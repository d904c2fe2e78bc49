"""Why a run of `descend.fit` failed or fell short; and, before the first step, what a descent will do.

It knows the model, the rows and J, and tries other conditions on them. The doctor (`descend.doctor`) is another: it
watches a PyTorch script that a user wrote, whose loop and data are its own.

The search for the cause, `examination.diagnose`, is imported only when needed, which it never is for a healthy fit.
"""

from descend.diagnosis.cause import Cause, Diagnosis

__all__ = ["Cause", "Diagnosis"]
