"""One loopback port for every service: requests are authenticated, bodies check themselves, shapes are botocore's."""

__all__ = [
    "bodies",
    "endpoint",
    "json_bodies",
    "listener",
    "messages",
    "numbers",
    "query_protocol",
    "shapes",
    "xml_shapes",
]
