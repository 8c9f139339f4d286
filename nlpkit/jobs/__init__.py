"""What each command does, as plain functions that never print, exit or read argv."""
