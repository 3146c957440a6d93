"""What moderators decided: taken in, kept in a database, reviewed, exported for training."""
