"""The reference inference stage: finds faces in a photo and edits them, with torch and small open models.

Only what is in here imports torch; nothing outside imports it before it is asked for.
"""
