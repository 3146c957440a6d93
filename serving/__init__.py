"""How it answers: one BentoML service over verified bundles."""
