"""The words every room shares: domain types, the flow table, events and errors.

No I/O, no clock, no randomness.
"""
