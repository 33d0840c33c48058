"""One module a revision, `rNNNN_what_it_does.py`, each after the one that its `down_revision` names."""
