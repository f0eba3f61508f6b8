"""Where traffic goes.

Words: a *route* is a method and a path template and belongs to one *capability*; a *side* is ``legacy`` or ``new``;
a *flag* says what the proxy does with a route now (percent to new, stickiness, cohorts, fallback, pin); a *version*
is one atomic set of all flags; a version is *applied* when every connected proxy has acknowledged it.

This package turns flags and routes into Envoy resources and delivers them. It does not know rows, change streams,
phases or gates, and nothing about any particular application.
"""
