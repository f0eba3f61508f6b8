"""Long runs with fixed seeds: everything is killed (``make torture-cdc``), every type is tried (``make corpus``)."""
