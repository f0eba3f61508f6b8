"""Items that people like."""
