"""What people touch, and the procedure that ties traffic and data together.

``config`` reads strangler.toml, ``control`` is the control plane process, ``cli`` asks it, ``streams`` is the process
that runs a capability's change stream, ``dev`` starts everything on one machine. The toolkit knows the application
only through strangler.toml.
"""

__version__ = "0.1.0"
