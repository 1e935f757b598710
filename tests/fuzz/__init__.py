"""Calls drawn from the API's own OpenAPI document, as every role; whatever is sent, some things must hold."""
