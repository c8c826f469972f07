"""Floor 4: what users call; one file per family, each thin: arguments -> Problem -> Plan -> run."""
