"""/docs: the API reference, rendered from the bundled OpenAPI documents."""
