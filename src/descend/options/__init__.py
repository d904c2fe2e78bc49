"""Every option of a fit, once: what the user asked for, checked and named."""
