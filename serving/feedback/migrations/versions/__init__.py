"""One step each; each names the one before it."""
