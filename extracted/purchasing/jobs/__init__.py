"""Background work, in a process of its own. What has to be done is always in the tables; a job finds it there.

Jobs write first and speak to others (the gateway) once the database has taken the write, so that a job of the side
that does not own the tables does nothing.
"""
