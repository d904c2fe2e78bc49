"""A fit shown to people: as fields, text and pictures."""
