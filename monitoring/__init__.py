"""What the system did, from its records: the balance of events and outcomes."""
