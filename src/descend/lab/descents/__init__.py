"""What a page shows, computed: descents, fits of groups, the deepest valley; and the same outside the lab."""
