"""Background work: RQ on Redis, one worker process with its own clock.

What a job has to do is always in the tables (queued mails, expired reservations, pending orders); Redis only says
when to look, so a lost job is made up for by the next sweep.
"""
