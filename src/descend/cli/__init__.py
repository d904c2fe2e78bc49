"""The command line: one file per verb, and `main` to run them."""
