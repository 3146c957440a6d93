"""The way of the feedback tables from release to release, as Alembic's scripts."""
