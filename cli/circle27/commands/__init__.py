"""One click command a module; each reads options, calls one function and prints."""
