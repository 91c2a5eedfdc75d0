"""One loopback port for every service: requests are authenticated, bodies check themselves, shapes are botocore's."""

__all__ = [
    "bodies",
    "endpoint",
    "forms",
    "hosts",
    "json_bodies",
    "listener",
    "messages",
    "numbers",
    "query_protocol",
    "shapes",
    "xml_shapes",
]
