"""The console at `/_mock`: a page to watch what clients send, and to force what they get.

Whatever it shows comes from the control API beside it (`control.yaml`), and every change goes there.
"""
