"""Every metric of the control plane: name, type, unit, labels. Nothing is measured under a name that isn't here."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

# Counter. Versions of the flags that were tried, by outcome: applied, refused (a proxy's NACK or silence).
FLIPS = Counter("strangler_flips_total", "Flag versions tried", ["outcome"], registry=REGISTRY)

# Histogram, seconds. From the call to the last proxy's acknowledgement.
FLIP_SECONDS = Histogram(
    "strangler_flip_seconds",
    "Call to last acknowledgement",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
    registry=REGISTRY,
)

# Gauge. The version of the flags in force.
VERSION = Gauge("strangler_flags_version", "Version of the flags in force", registry=REGISTRY)

# Gauge. Proxies that are connected, and of these those that have applied the version in force.
PROXIES = Gauge("strangler_proxies", "Connected proxies", registry=REGISTRY)
PROXIES_APPLIED = Gauge("strangler_proxies_applied", "Connected proxies with the current version", registry=REGISTRY)

# Gauge, requests. What the proxy has counted since its start, per route and side; a restart of the proxy resets it.
REQUESTS = Gauge(
    "strangler_route_requests", "Requests since the proxy's start", ["capability", "route", "side"], registry=REGISTRY
)
ERRORS = Gauge(
    "strangler_route_errors",
    "5xx and unanswered since the proxy's start",
    ["capability", "route", "side"],
    registry=REGISTRY,
)

# Gauge, percent of users whose reads go to new.
PERCENT = Gauge("strangler_route_percent", "Percent to new", ["capability", "route"], registry=REGISTRY)

# Gauge. 1 for the phase a capability is in, 0 for all others.
PHASE = Gauge("strangler_phase", "1 for the current phase", ["capability", "phase"], registry=REGISTRY)

# Gauge. 1 for the state a stream is in, 0 for all others.
STREAM_STATE = Gauge("strangler_stream_state", "1 for the current state", ["capability", "state"], registry=REGISTRY)

# Gauge, seconds. How old the rows on the target are; absent until a marker has come through.
LAG = Gauge("strangler_stream_lag_seconds", "Age of the target's rows", ["capability"], registry=REGISTRY)

# Gauge. Change events applied since the stream's first start; keys waiting in quarantine, with events and bytes.
EVENTS = Gauge("strangler_stream_events", "Events applied", ["capability"], registry=REGISTRY)
QUARANTINED = Gauge("strangler_stream_quarantined", "Keys in quarantine", ["capability"], registry=REGISTRY)
QUARANTINED_EVENTS = Gauge(
    "strangler_stream_quarantined_events", "Events in quarantine", ["capability"], registry=REGISTRY
)
QUARANTINED_BYTES = Gauge(
    "strangler_stream_quarantined_bytes", "Bytes in quarantine", ["capability"], registry=REGISTRY
)

# Counter. Moves tried, by kind (advance, rollback) and outcome (done, failed, refused).
MOVES = Counter("strangler_moves_total", "Moves tried", ["capability", "kind", "outcome"], registry=REGISTRY)

# Counter and histogram (seconds). The admin API itself.
API_REQUESTS = Counter("strangler_api_requests_total", "API requests", ["method", "path", "status"], registry=REGISTRY)
API_SECONDS = Histogram("strangler_api_seconds", "API time to first byte", ["method", "path"], registry=REGISTRY)
