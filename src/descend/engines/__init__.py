"""Where rows are summed: one engine per file, all bound by one contract, `totals.py`."""
