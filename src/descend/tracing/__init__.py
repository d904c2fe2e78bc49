"""A Python function to a formula: it is called once with symbols, and what it does with them is written down."""
