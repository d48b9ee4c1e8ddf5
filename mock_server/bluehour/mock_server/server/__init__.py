"""What carries HTTP: an asynchronous server of one thread, which hands requests to an application."""
