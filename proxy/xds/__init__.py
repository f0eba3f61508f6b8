"""How resources reach every Envoy, and how it is known who has applied them.

State-of-the-world ADS over gRPC. A *revision* names the content of one resource type; a proxy has *applied* a version
when it has acknowledged the revisions of all types of it. ``ledger`` keeps the books and decides what is sent next,
without any I/O; ``server`` does the talking; ``standby`` stands in while the control plane is down.
"""
