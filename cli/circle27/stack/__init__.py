"""The local stack: ordinary processes in one folder, kept alive by supervisord."""
