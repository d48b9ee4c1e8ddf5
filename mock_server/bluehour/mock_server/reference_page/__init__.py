"""The reference of the served contract at `/docs`: one page, made on the server, of any OpenAPI document."""

PATH = "/docs"
