"""Speed and quality against peers and baselines, each a command that prints a table."""
