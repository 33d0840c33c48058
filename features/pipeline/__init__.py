"""From the events to both tiers: each event counted once, whatever is killed or moved meanwhile."""
