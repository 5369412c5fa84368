"""The complaint data map: rates, suppression, periods, hot spots and the schematic drawing."""
