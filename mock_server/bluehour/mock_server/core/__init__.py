"""What a mock keeps, and the time that it lives in: accounts, projects, credits, files. It knows no HTTP."""
