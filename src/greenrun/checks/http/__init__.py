"""What a service answers over HTTP: endpoints, flows, WebSockets, and its OpenAPI document."""
