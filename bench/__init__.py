"""`make bench`: what POK costs, as ratios against a baseline in the same run. Never a test: no timing fails one."""
