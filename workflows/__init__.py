"""The rules of citizen reception, in pure Python: no web, database, store, clock or settings."""
