"""Reads: each takes `visible_to` first and orders deterministically."""
