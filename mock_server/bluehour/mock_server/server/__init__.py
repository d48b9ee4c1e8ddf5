"""What carries requests to the mock and replies from it: sockets, threads, processes, the log."""
