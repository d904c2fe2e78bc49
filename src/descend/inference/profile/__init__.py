"""Profile likelihood: how far one parameter can move while the others are fitted again."""
