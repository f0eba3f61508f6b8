"""The command line: asks the control plane over its HTTP API and shows the answer. It never does the work itself.

One file per command group; ``client`` talks, ``screen`` prints, ``failure`` is the one place for error text and exit
codes. ``up``, ``down``, ``ps``, ``logs`` and ``doctor`` (``environment``) talk to the supervisor instead.
"""
