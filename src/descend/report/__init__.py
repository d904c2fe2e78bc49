"""A fit shown to people: as fields, text, pictures and a page. What draws is loaded when something is drawn."""
