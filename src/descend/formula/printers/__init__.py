"""Writers of an expression: formula text, NumPy, PyTorch, SQL (``code``) and LaTeX (``latex``)."""
