"""Events that are sent to whoever registered for them: signed, and sent again until they are taken."""
