"""Onboarding: sign-up, log-in, sessions, addresses, store credit."""
