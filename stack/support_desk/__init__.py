"""A small support platform for the local stack: orders, tickets, what was done and how each ticket ended."""
