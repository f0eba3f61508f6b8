"""HTTP around the domains: how a view is declared, authenticated, run, documented and measured. No business rules."""
