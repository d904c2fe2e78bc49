"""The data: named columns and rows, from files, data frames or arrays, as one `Table`.

`open_table` is the door: it takes whatever holds the rows and returns a `Table`, which gives out
columns as float64 arrays. Files are read by DuckDB, only the columns asked for; arrays are used where
they lie. `parse_column_range` makes a column from ``0:10:0.1``; `written.write_columns` writes columns to a file.
"""

from descend.table.opening import open_table
from descend.table.ranges import parse_column_range
from descend.table.table import Table

__all__ = ["Table", "open_table", "parse_column_range"]
