"""Tools for those who develop Signalbox. Not part of an installation."""
