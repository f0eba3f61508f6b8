"""Sending back: request, receive (restock), refund."""
