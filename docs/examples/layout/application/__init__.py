"""An application of the framework."""
