"""How it runs: settings, command line, database, sign-in, problems, demo, the composed application.

The only room that reads the clock, the environment and the network configuration, and that wires stores into services.
"""
