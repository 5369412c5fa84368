"""The data map: where complaints come from, for officials and, once switched on, the public."""
