"""RabbitMQ over TLS with the name of each node checked; kombu checks none, or one name for all nodes."""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, pyamqp


class Transport(pyamqp.SSLTransport):
    """kombu's `amqps`, which leaves the certificate's name unchecked unless it is given one for all nodes."""

    def establish_connection(self) -> Any:
        """Called by kombu at each connection, to whichever node is next."""
        client: Any = self.client
        asked = client.ssl
        options = dict(asked) if isinstance(asked, dict) else {}
        if options.pop("check_hostname", True):
            options["server_hostname"] = client.hostname
        client.ssl = options or True
        try:
            return super().establish_connection()
        finally:
            client.ssl = asked


def install() -> None:
    """Let `amqps://` mean this transport, from the next connection of the process on."""
    TRANSPORT_ALIASES["amqps"] = f"{__name__}:{Transport.__name__}"
