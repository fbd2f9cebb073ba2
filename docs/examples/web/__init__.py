"""A small web framework, an application on it, and another one that overrides that one."""
