"""When somebody is told, pure: instants and rules in, pages out. Who delivers them is the shell's affair.

Each rule can be asked at any instant and gives the same answer again: nothing here remembers what was sent.
"""
