"""Load runs against a local stack: many members who hold streams over real sockets, and what they see.

`ground` prepares campus, members and slots; `pool` holds the members in as many processes as the limit of open files
asks for; `watcher` is one held stream; a scenario plays; `report` writes down what came out.
"""
