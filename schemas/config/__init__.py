"""The configuration: one pydantic model for each section, gathered in :class:`schemas.config.root.Config`."""
