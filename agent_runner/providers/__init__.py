"""Clients for LLM services: one file per wire protocol behind one interface."""
