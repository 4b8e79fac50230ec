"""The router as a service: an OpenAI-compatible server that any client in any language can use."""
