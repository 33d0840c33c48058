"""Alembic's environment and the revisions of the SQL store; `docs/database.md` says how to add one."""
