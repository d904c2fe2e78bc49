"""Where a descent begins, if the user does not say: searches in the data's own units, frequencies, growing samples."""
