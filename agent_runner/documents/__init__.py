"""YAML and JSON read into trees that know where every value stands."""
