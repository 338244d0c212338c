"""Providers asked over HTTP: one file per wire protocol, and what they have in common."""
