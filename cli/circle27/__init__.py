"""Circle27: the command line and the worker. Everything that decides lives in db/ (PL/pgSQL)."""
