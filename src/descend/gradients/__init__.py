"""Where gradients come from: derived, by hand, by autograd or numeric; the court compares them with each other."""
