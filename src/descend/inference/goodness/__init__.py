"""How good a fit is: chi-square, likelihood and criteria, tests of the residuals, and the error on rows held out."""
