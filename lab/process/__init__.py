"""The processes of a lab: started, watched and ended as one.

supervisord runs the services. What keeps the lab whole when something is killed:

- every service asks the kernel to be killed when supervisord dies (``parent_death``);
- the starter holds ``starter.lock`` until the lab is ready, in the foreground for its whole life; the ``guardian``, a program under
  supervisord, waits for that lock and ends supervisord when it is released without a published, lasting lab;
- supervisord holds ``supervisor.lock`` while it lives, so that nobody has to trust a pid file.
"""
