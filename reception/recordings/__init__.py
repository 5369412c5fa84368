"""Recordings: sealing while they run, masters, playback by leave."""
