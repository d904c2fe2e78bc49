"""The problem: rows, model and objective put together and checked, so that it is clear what exactly is minimised."""
