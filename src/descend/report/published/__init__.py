"""Tables for papers: values with their errors, rounded to the error, as LaTeX, Markdown, CSV and HTML."""
