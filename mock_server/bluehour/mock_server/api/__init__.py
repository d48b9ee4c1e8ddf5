"""The journey of a request: from what came to what is answered, by the contract, on what the mock keeps."""
