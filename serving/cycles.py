"""One request of a connection and its answer, which goes out in one piece where it is all there."""

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from serving.exchange import Header


class Cycle(RequestResponseCycle):
    """uvicorn's, with shorter ways for bodies that are whole: see :class:`serving.exchange.Whole`.

    uvicorn gives and takes head and body one after the other, each by a message of ASGI, and looks
    through every header for what must not be in one.
    """

    def take_whole(self) -> bytes | None:
        """Return the body if all of it is there, which is so for most from the start.

        Who sends it all at once does not wait to be told to continue (RFC 9110, 10.1.1).
        """
        if self.more_body or self.disconnected or self.response_complete:
            return None
        self.waiting_for_100_continue = False
        self.message_event.clear()  # for whoever listens for the client's leave
        body, self.body = bytes(self.body), bytearray()
        return body

    def write_whole(self, status: int, headers: Iterable[Header], body: bytes) -> bool:
        """Send an answer that is whole, unless its client does not read at present, or has left.

        Parameters
        ----------
        status : int
        headers : iterable of pairs of bytes
            With content-length, and in lower case; none of them says how the connection goes on.
        body : bytes
            Empty where the request wants the head alone.

        Returns
        -------
        is_sent : bool
            If not, the messages of ASGI are the way.
        """
        if self.response_started or self.disconnected or self.flow.write_paused:
            return False
        lines = [b"%b: %b\r\n" % header for header in (*self.default_headers, *headers)]
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        head = b"".join(lines)
        if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
            raise RuntimeError("a header of the answer holds the end of a line")
        self.response_started = True
        self.waiting_for_100_continue = False
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], head, body))
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
        return True
