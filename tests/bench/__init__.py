"""Figures about speed, as ratios of servers measured in turn in one run; never a test that can fail."""
