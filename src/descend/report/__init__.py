"""A fit shown to people: as fields, text, pictures and a page. Drawing libraries are only imported when one draws."""
