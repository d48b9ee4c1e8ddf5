"""The vendor's SDKs as clients for `bluehour fuzz`, and what it finds in them: docs/found."""
