"""Ten million rows of Parquet

Made by DuckDB in a second, fitted where they lie: only sums travel.

Data: made here.
"""

import duckdb

import descend

duckdb.sql("""
    copy (select i/2.5e6 as t, 3*exp(-0.7*i/2.5e6) - 0.5 + random()/10 as y from range(10_000_000) rows(i))
    to 'rows.parquet'
""")
fit = descend.fit("y ~ a*exp(-b*t) + c", "rows.parquet", engine="query")
print(fit)
fit.plot().savefig("ten_million_rows.png")
