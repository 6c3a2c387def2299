"""English, as it is written by people of many countries."""
