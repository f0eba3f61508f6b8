"""The admin API: routes, their shapes and their errors. Thin: everything is decided in ``strangler.control``."""
