"""Router, feeder, workers and reconciler under a seeded scheduler, in a world in which everything breaks."""
