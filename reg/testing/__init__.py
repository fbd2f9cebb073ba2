"""The pytest plugins, and the lines they add to a failed test."""
