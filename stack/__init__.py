"""Signalbox on one machine: embedded servers, supervised processes, traffic, the demonstration."""
