"""A client of the gateway in one file: messages, runs of an agent, streams, and every method by its name.

It needs Python 3.9 and nothing else. Each request has a connection of its own, so a client may be used from many
threads at once and has nothing to close::

    from openclaw import OpenClawClient

    client = OpenClawClient(base_url="http://127.0.0.1:18789", token=os.environ["GATEWAY_AUTH_TOKEN"])
    print(client.message("Hello!").content)
"""

from __future__ import annotations

import http.client
import json
import math
import random
import re
import socket
import time
from dataclasses import dataclass
from typing import Any, Dict, Generator, Iterator, List, Mapping, Optional, Tuple
from urllib.parse import urlsplit

__all__ = ["Agent", "AgentRun", "GatewayError", "Message", "OpenClawClient", "StreamEvent", "Usage"]

#: Seconds: the documented default deadline of a request.
TIMEOUT = 300.0
#: A stream says something every 15 s, if only that it is there: after three silences nobody is.
SILENCE = 45.0
#: The gateway's own word that it took too long says which run goes on; so it is given time to arrive.
GRACE = 5.0
#: Seconds. Who is told to wait longer is better told at once.
LONGEST_WAIT = 60.0


class GatewayError(Exception):
    """The one error this client raises.

    ``code`` is the gateway's, the same on every family of URLs: ``invalid_request``, ``unauthorized``, ``forbidden``,
    ``not_found``, ``method_not_found``, ``conflict``, ``timeout``, ``rate_limited``, ``payload_too_large``,
    ``internal``, ``unavailable``, ``cancelled``, ``budget_exceeded``; or, where the gateway did not answer,
    ``unreachable``, ``connection_lost`` or ``bad_answer``. A ``timeout`` without a status is this side's own patience.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: Optional[int] = None,
        param: Optional[str] = None,
        retry_after: Optional[float] = None,
        retryable: Optional[bool] = None,
        details: Optional[Mapping[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        #: The HTTP status; None where the gateway did not answer.
        self.status = status
        #: The parameter that was wrong.
        self.param = param
        #: Seconds after which it may be asked again.
        self.retry_after = retry_after
        #: Whether the same request may go well a little later.
        self.retryable = code in _RETRYABLE if retryable is None else retryable
        #: Further facts, such as the id of a run that goes on after a timeout.
        self.details: Mapping[str, Any] = details or {}

    def __repr__(self) -> str:
        return f"GatewayError({self.code!r}, {self.message!r}, status={self.status!r})"


@dataclass(frozen=True)
class Usage:
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class Message:
    """The answer to a message."""

    content: str
    conversation_id: str
    run_id: str
    usage: Optional[Usage]


@dataclass(frozen=True)
class AgentRun:
    """What a run of an agent came to."""

    run_id: str
    session_key: str
    response: str
    usage: Optional[Usage]


@dataclass(frozen=True)
class StreamEvent:
    """A piece of an answer (``type`` is ``delta``), or its end (``done``)."""

    type: str
    run_id: str
    #: The text of this piece; empty at the end.
    delta: str = ""
    #: Why an agent's run ended.
    finish_reason: Optional[str] = None
    #: The whole of a message's answer, at its end.
    content: Optional[str] = None
    conversation_id: Optional[str] = None
    usage: Optional[Usage] = None


class OpenClawClient:
    """A client of one gateway.

    :param base_url: where the gateway listens; a path before its own is kept.
    :param token: the gateway's token. It goes into a header; never into a URL or a message.
    :param timeout: how long an answer may take, in seconds.
    :param retries: how often a request that may safely be repeated is tried again.
    :raises GatewayError: ``invalid_request`` where one of them makes no sense.
    """

    agent: "Agent"

    def __init__(self, base_url: str, token: Optional[str] = None, *, timeout: float = TIMEOUT, retries: int = 2) -> None:
        self._http = _Http(base_url, token, timeout, retries)
        self.agent = Agent(self._http)

    def __repr__(self) -> str:
        return f"OpenClawClient({self._http.origin!r})"

    def message(
        self, text: str, *, conversation_id: Optional[str] = None, channel: str = "api", timeout: Optional[float] = None
    ) -> Message:
        """Sends a message and returns the reply. It is never sent twice by itself.

        :raises GatewayError: ``timeout`` where it took too long: the run goes on, and ``details`` names it.
        """
        patience = self._http.timeout if timeout is None else timeout
        body = {**_message_body(text, conversation_id, channel), "timeout_ms": max(1, math.ceil(patience * 1000))}
        answer = _record(self._http.post("/api/v1/message", body, timeout=patience + GRACE))
        return Message(
            content=str(answer.get("content", "")),
            conversation_id=str(answer.get("conversation_id", "")),
            run_id=str(answer.get("run_id", "")),
            usage=_usage(answer.get("usage")),
        )

    def stream(
        self, text: str, *, conversation_id: Optional[str] = None, channel: str = "api", timeout: Optional[float] = None
    ) -> Generator[StreamEvent, None, None]:
        """Sends a message and yields the reply as it comes; ``done`` is the last event.

        Leaving the loop, or ``close()``, ends the connection and with it the run. ``timeout`` is for its beginning.

        :raises GatewayError: also in mid-stream, ``connection_lost`` where it broke off.
        """
        body = _message_body(text, conversation_id, channel)
        for name, data in _until_done(self._http.events("/api/v1/message", body, timeout)):
            yield StreamEvent(
                type=name,
                run_id=str(data.get("run_id", "")),
                delta=str(data.get("delta", "")),
                content=data.get("content"),
                conversation_id=data.get("conversation_id"),
                usage=_usage(data.get("usage")),
            )

    def call(
        self,
        method: str,
        params: Optional[Mapping[str, Any]] = None,
        *,
        timeout: Optional[float] = None,
        idempotent: Optional[bool] = None,
    ) -> Any:
        """Calls any of the gateway's methods by its name; ``system.methods`` lists them.

        A method that only looks is tried again where that may help; any other is, if ``idempotent`` says that it can be.
        """
        repeatable = _is_idempotent(method) if idempotent is None else idempotent
        body = {"method": method, "params": dict(params or {})}
        answer = _record(self._http.post("/api/rpc", body, timeout=timeout, idempotent=repeatable))
        if "data" not in answer:
            raise GatewayError("bad_answer", f"The call of {method} was answered by something that is no answer")
        return answer["data"]


class Agent:
    """Runs of an agent: ``client.agent``."""

    def __init__(self, http_door: "_Http") -> None:
        self._http = http_door

    def run(
        self,
        message: str,
        session_key: Optional[str] = None,
        *,
        agent_id: Optional[str] = None,
        options: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
    ) -> AgentRun:
        """Runs one turn and returns when it is done. It is never sent twice by itself.

        :param session_key: the conversation it belongs to; a fresh one without it.
        :param options: ``thinking`` (``low``, ``medium``, ``high``) and ``model``.
        """
        answer = _record(self._http.post("/v1/agent/run", _run_body(message, session_key, agent_id, options), timeout=timeout))
        return AgentRun(
            run_id=str(answer.get("runId", "")),
            session_key=str(answer.get("sessionKey", "")),
            response=str(answer.get("response", "")),
            usage=_usage(answer.get("usage")),
        )

    def stream(
        self,
        message: str,
        session_key: Optional[str] = None,
        *,
        agent_id: Optional[str] = None,
        options: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
    ) -> Generator[StreamEvent, None, None]:
        """Runs one turn and yields its answer as it comes, as ``OpenClawClient.stream`` does."""
        body = {**_run_body(message, session_key, agent_id, options), "stream": True}
        for name, data in _until_done(self._http.events("/v1/agent/run/stream", body, timeout)):
            yield StreamEvent(
                type=name, run_id=str(data.get("runId", "")), delta=str(data.get("delta", "")), finish_reason=data.get("finishReason")
            )


class _Http:
    """Requests to one gateway. No proxy is asked and no redirect followed: the token is for the gateway alone."""

    def __init__(self, base_url: str, token: Optional[str], timeout: float, retries: int) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise _wrong("base_url", "must be an http or https URL, such as http://127.0.0.1:18789")
        if url.username is not None or url.password is not None:
            raise _wrong("base_url", "must not hold a credential: pass it as token")
        # A header that cannot be sent is refused by the library with the whole header in the message.
        if token and not re.fullmatch(r"[\x21-\x7e]+", token):
            raise _wrong("token", "has a character that no header can carry; a line break at its end, perhaps")
        if not timeout > 0:
            raise _wrong("timeout", "must be a number of seconds above 0")
        if retries < 0:
            raise _wrong("retries", "must be 0 or more")
        self.origin = f"{url.scheme}://{url.netloc}"
        self.timeout = timeout
        self._secure = url.scheme == "https"
        self._host = url.hostname
        self._port = url.port
        self._path = url.path.rstrip("/")
        self._token = token
        self._retries = retries

    def post(self, path: str, body: Mapping[str, Any], *, timeout: Optional[float] = None, idempotent: bool = False) -> Any:
        attempt = 0
        while True:
            try:
                return self._once(path, body, self.timeout if timeout is None else timeout)
            except GatewayError as error:
                wait = _wait_before(attempt, error)
                if not idempotent or attempt >= self._retries or wait is None:
                    raise
            attempt += 1
            time.sleep(wait)

    def events(self, path: str, body: Mapping[str, Any], timeout: Optional[float]) -> Generator[Tuple[str, str], None, None]:
        """The events of an answer, as pairs of name and data."""
        with _Exchange(self, f"to begin its answer at {path}", self.timeout if timeout is None else timeout) as exchange:
            response = exchange.send(path, body, "text/event-stream")
            if response.status != 200:
                raise _refusal(response.status, exchange.read(), response.getheader("retry-after"))
            if not (response.getheader("content-type") or "").startswith("text/event-stream"):
                raise GatewayError("bad_answer", f"{path} was asked for a stream of events and answered something else", status=200)
            yield from _events_in(exchange.lines())

    def _once(self, path: str, body: Mapping[str, Any], timeout: float) -> Any:
        with _Exchange(self, f"to answer {path}", timeout) as exchange:
            response = exchange.send(path, body, "application/json")
            text = exchange.read()
            if not 200 <= response.status < 300:
                raise _refusal(response.status, text, response.getheader("retry-after"))
            answer = _parsed(text)
            if answer is None:
                raise GatewayError("bad_answer", f"{path} answered something that is no JSON", status=response.status)
            return answer


class _Exchange:
    """One request and its answer, on a connection of its own that ends with it."""

    def __init__(self, door: _Http, what: str, timeout: float) -> None:
        self._door = door
        self._what = what
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        kind = http.client.HTTPSConnection if door._secure else http.client.HTTPConnection
        self._connection = kind(door._host, door._port, timeout=timeout)
        self._socket: Optional[socket.socket] = None
        self._response: Optional[http.client.HTTPResponse] = None
        #: Bytes of the body still to come, where it was told how many there are.
        self._left: Optional[int] = None

    def __enter__(self) -> "_Exchange":
        return self

    def __exit__(self, kind: Any, error: Any, _trace: Any) -> None:
        if self._response is not None:
            self._response.close()
        self._connection.close()
        if kind is None or issubclass(kind, GatewayError) or not issubclass(kind, (OSError, http.client.HTTPException)):
            return
        raise self._words_for(error) from error

    def send(self, path: str, body: Mapping[str, Any], accept: str) -> http.client.HTTPResponse:
        headers = {"content-type": "application/json", "accept": accept}
        if self._door._token:
            headers["authorization"] = f"Bearer {self._door._token}"
        self._connection.connect()
        # The response takes the socket away from the connection, and a deadline is set on it between two reads.
        self._socket = self._connection.sock
        self._connection.request("POST", self._door._path + path, json.dumps(body).encode(), headers)
        self._wait_until(self._deadline)
        self._response = self._connection.getresponse()
        self._left = self._response.length
        return self._response

    def read(self) -> bytes:
        """The whole body."""
        pieces: List[bytes] = []
        while True:
            self._wait_until(self._deadline)
            piece = self._read_some()
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)

    def lines(self) -> Iterator[str]:
        """Whole lines, without their ends, as they come."""
        self._what, self._timeout = "to go on with its answer", SILENCE
        rest = b""
        while True:
            self._wait_until(time.monotonic() + SILENCE)
            piece = self._read_some()
            if not piece:
                return
            # A line feed after a carriage return may come with the next piece.
            lines = re.split(rb"\r\n|\n|\r(?!\Z)", rest + piece)
            rest = lines.pop()
            for line in lines:
                yield line.decode("utf-8", "replace")

    def _read_some(self) -> bytes:
        assert self._response is not None
        # Before Python 3.13 the library does not count what this reads, and would wait for more.
        if self._left == 0:
            return b""
        piece = self._response.read1(65536 if self._left is None else min(65536, self._left))
        if self._left is not None:
            # And takes the end of a connection for the end of any body.
            if not piece:
                raise http.client.IncompleteRead(b"", self._left)
            self._left -= len(piece)
        return piece

    def _wait_until(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout()
        if self._socket is not None:
            self._socket.settimeout(left)

    def _words_for(self, error: BaseException) -> GatewayError:
        # Its own name only from Python 3.10 on.
        if isinstance(error, socket.timeout):
            return GatewayError("timeout", f"The gateway took longer than {self._timeout:g} s {self._what}")
        why = str(error) or type(error).__name__
        if self._socket is None:
            return GatewayError("unreachable", f"The gateway at {self._door.origin} cannot be reached: {why}")
        return GatewayError("connection_lost", f"The connection broke off before the answer was complete: {why}")


#: Where a code is spelled otherwise than here: under /api/v1, on HTTP in general, and in the typed dialect.
_SYNONYMS = {
    "bad_request": "invalid_request",
    "internal_error": "internal",
    "service_unavailable": "unavailable",
    "auth_required": "unauthorized",
}
#: For a status whose body says nothing: a proxy's, say.
_BY_STATUS = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "invalid_request",
    408: "timeout",
    409: "conflict",
    413: "payload_too_large",
    415: "invalid_request",
    421: "invalid_request",
    429: "rate_limited",
    502: "unavailable",
    503: "unavailable",
    504: "timeout",
}
#: A budget that is used up is not among them: waiting a moment does not fill it.
_RETRYABLE = ("rate_limited", "unavailable", "unreachable", "connection_lost")
#: The second half of a method's name, where it changes nothing.
_LOOKS = frozenset(
    "get list status stats search read schema history inspect top ping health methods runs".split()
)


def _refusal(status: Optional[int], text: bytes, retry_after: Optional[str] = None) -> GatewayError:
    """The error that a body says, of whichever family of URLs."""
    body = _parsed(text)
    outer: Dict[str, Any] = body if isinstance(body, dict) else {}
    inner = outer.get("error")
    error: Dict[str, Any] = inner if isinstance(inner, dict) else {**outer, "code": inner}
    shown = status if status is not None else error.get("status")
    code = error.get("code")
    if isinstance(code, str):
        code = _SYNONYMS.get(code.lower(), code.lower())
    else:
        code = _BY_STATUS.get(shown or 0) or ("bad_answer" if shown is not None and shown < 500 else "internal")
    details = error.get("details") if isinstance(error.get("details"), dict) else {}
    return GatewayError(
        code,
        str(error.get("message") or f"The gateway answered {shown} and gave no reason"),
        status=shown,
        # The flat shape names it among the details.
        param=error.get("param") or details.get("param"),
        retry_after=float(retry_after) if retry_after and re.fullmatch(r"\d+(\.\d+)?", retry_after) else None,
        retryable=error.get("retryable"),
        details=details,
    )


def _events_in(lines: Iterator[str]) -> Generator[Tuple[str, str], None, None]:
    """Server-sent events. One whose blank line never came is none."""
    name, data = "message", []
    for line in lines:
        if line == "":
            if data:
                yield name, "\n".join(data)
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)


def _until_done(events: Generator[Tuple[str, str], None, None]) -> Generator[Tuple[str, Dict[str, Any]], None, None]:
    try:
        for name, data in events:
            if name == "error":
                raise _refusal(None, data.encode())
            if name not in ("delta", "done"):
                continue
            yield name, _record(_parsed(data.encode()))
            if name == "done":
                return
        raise GatewayError("connection_lost", "The stream ended before the answer was complete")
    finally:
        events.close()


def _message_body(text: str, conversation_id: Optional[str], channel: str) -> Dict[str, Any]:
    return _present(channel=channel, message=text, conversation_id=conversation_id)


def _run_body(
    message: str, session_key: Optional[str], agent_id: Optional[str], options: Optional[Mapping[str, Any]]
) -> Dict[str, Any]:
    return _present(message=message, sessionKey=session_key, agentId=agent_id, options=options and dict(options))


def _present(**fields: Any) -> Dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _usage(counts: Any) -> Optional[Usage]:
    if not isinstance(counts, dict):
        return None
    return Usage(*(int(counts.get(name, 0)) for name in ("promptTokens", "completionTokens", "totalTokens")))


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _record(answer: Any) -> Dict[str, Any]:
    if not isinstance(answer, dict):
        raise GatewayError("bad_answer", "The gateway answered something that is no JSON object")
    return answer


def _wait_before(attempt: int, error: GatewayError) -> Optional[float]:
    """Seconds before a refused request is tried again; None where it should not be."""
    if not error.retryable or (error.retry_after or 0) > LONGEST_WAIT:
        return None
    # Half of it by chance, so that clients that lost the same gateway do not come back as one.
    own = min(5.0, 0.25 * 2 ** min(attempt, 10)) * (0.5 + random.random() / 2)
    return max(own, error.retry_after or 0)


def _is_idempotent(method: str) -> bool:
    return method.partition(".")[2] in _LOOKS


def _wrong(param: str, problem: str) -> GatewayError:
    return GatewayError("invalid_request", f"{param} {problem}", param=param)
