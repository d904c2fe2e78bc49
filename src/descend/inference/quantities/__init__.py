"""Numbers that follow from the parameters of a fit: half-lives, ratios, areas and peaks, each with its error."""
