"""What the system did, told from its records: the balance of events and outcomes."""
