"""Long runs that kill everything, with fixed seeds: ``make torture-cdc``."""
