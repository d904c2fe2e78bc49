"""A formula of the probability of a class as a classifier."""


class FormulaClassifier: ...
