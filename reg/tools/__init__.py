"""Tools: explain a call, check registrations, list them, draw them; on the command line too."""
