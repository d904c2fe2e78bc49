"""The rows to descend on: made, read, pasted, or carried by a link."""
