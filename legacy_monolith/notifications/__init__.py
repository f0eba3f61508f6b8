"""Telling people: texts, preferences, messages in the app, and mails that wait in the outbox for the jobs."""
