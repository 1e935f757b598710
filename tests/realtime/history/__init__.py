"""Hundreds of members on their devices while processes are killed, and a checker of what each device showed.

`world` is a campus with two deadlines, `device` a client that keeps the contract of docs/events.md, `faults` what goes
wrong, `checker` what must hold all the same; `play` puts them together. All that is drawn comes from a seed.
"""
