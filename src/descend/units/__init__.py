"""Units of columns, and the units of parameters that follow from the formula. Pint is imported by `library` alone."""
