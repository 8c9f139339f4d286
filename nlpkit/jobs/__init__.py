"""The work of each command, as functions that never print, exit or read argv."""
