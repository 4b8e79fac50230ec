"""The revisions of the schema, which Alembic reads as files; `serving.state.migrate` applies them."""
