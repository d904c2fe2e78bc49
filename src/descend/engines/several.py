"""The kernel of a loss that works on several scores: the prediction, and parameters of its own."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from descend.engines.compiled import Compiled
from descend.formula.symbols import Parameter


class CompiledScores(Compiled):
    """Sums of a loss l(s) whose scores s are the prediction and its own parameters, in NumPy.

    With g and H the slopes and second derivatives of a row by its scores, and S the derivatives of those by theta:

        gradient = sum S' g,   curvature = sum S' |H| S

    where |H| has the eigenvalues of H without their signs, so that the curvature is one of a parabola with a minimum;
    where a loss is convex in its scores, as it mostly is, it is H itself. Source: Dauphin et al. (2014), NIPS.
    """

    def _body(self, order: int) -> list[str]:
        program, writer, loss = self.program, self.code.writer(), self.program.loss
        omega = self.omega
        value = loss.expressions[0] * omega
        slopes: Sequence[Expr] = [slope * omega for slope in loss.slopes] if order else []
        weights: Sequence[Expr] = [weight * omega for weight in loss.weights] if order > 1 else []
        jacobian = list(program.jacobian.items()) if order else []
        writer.count([value, *slopes, *weights, *(derivative for _, derivative in jacobian)])
        results = [f"loss = {writer.sum_over_rows(value)}"]
        if order:
            own = [self._place(Parameter(name)) for name in loss.own_parameters]
            rows = [f"({', '.join(writer.row(each) for each in part)},)" for part in (slopes, weights) if part]
            results += [
                *self._jacobian(writer, jacobian, ""),
                f"slope, jacobian = whitened(jacobian, [{', '.join(own)}], {', '.join(rows)})",
                "gradient = jacobian.dot(slope)",
            ]
        if order > 1:
            results += ["weight = 1.0", "curvature = jacobian.dot(jacobian.T)"]
        return [*writer.lines, *results]
