"""Runs that kill the real thing and count what came out. Each is a command that prints its report."""
