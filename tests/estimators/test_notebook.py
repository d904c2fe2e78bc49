"""The notebook of the estimators runs, and its steps lead to a better curve."""

from pathlib import Path

import nbclient
import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "estimators.ipynb"


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300).execute()
    printed = "\n".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output
    )
    errors = [float(line.split()[0]) for line in printed.splitlines() if line.endswith(("+ b", "conc)"))]
    assert len(errors) == 4 and errors[0] > 2.0 * min(errors)
    assert 'from "assays"' in printed and "with scaled as" in printed
