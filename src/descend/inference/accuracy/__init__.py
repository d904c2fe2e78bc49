"""How near a fit is to its minimum: digits that are right, by an estimate, and where J is convex by a proof."""
