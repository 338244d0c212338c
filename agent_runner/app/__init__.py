"""The wiring: what a command needs, built from every room. Only this package knows them all."""
