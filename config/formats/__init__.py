"""How dates are written, where a language's own short form would be read in two ways."""
