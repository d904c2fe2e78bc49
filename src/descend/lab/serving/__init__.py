"""Who may ask, how much and when, and the answers over HTTP."""
