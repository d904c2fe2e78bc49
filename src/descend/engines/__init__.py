"""Where rows are summed: one engine a file, all of them held to one contract, `totals.py`."""
