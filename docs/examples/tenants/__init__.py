"""One web service for several tenants, each of whom overrides a part of it."""
