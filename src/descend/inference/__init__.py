"""What follows from a solution: covariance, standard errors, intervals, criteria, digits, predictions with a band.

`fitted.Fitted` lists all of it as attributes of a fit, each with the file that computes it when it is asked for. Files
beside it hold what the others share: the rows with their scores and derivatives, which parameters the data determine,
the statistics of residuals, and the estimates with their covariance.

covariance  how certain the parameters are     profile     intervals by the likelihood, the others fitted again
priors      how much each weighs               quantities  numbers that follow from the parameters
accuracy    how near the minimum is            prediction  new rows, inverse prediction, where to measure next
goodness    how well the model describes       rows        single rows: influence, outliers

Where very many parameters belong to one group each, the curvature is an arrow (`engines.arrow`), and what is particular
to that stands in the files called ``arrow``.
"""
