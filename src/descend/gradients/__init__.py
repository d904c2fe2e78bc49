"""Where gradients come from: derived, by hand, by autograd or numeric; the court holds them against each other."""
