"""What few servers expect in a request: of paths, queries, headers, methods and lengths."""

from __future__ import annotations

_DIGITS = b"9" * 5000
"""More than Python makes an int of (4,300)."""

_CHINESE = "漢".encode()

Header = tuple[bytes, bytes]


def _words(text: bytes) -> list[bytes]:
    return text.split()


def _headers(name: bytes, values: bytes) -> list[Header]:
    """A header with each of the values that are between bars."""
    return [(name, value) for value in values.split(b"|")]


PARAMETERS = [
    *_words(rb"1e3 1.0 1. -1 +1 %201 1_000 0x1 NaN inf 1e400 0 -0 true True null [] {} { [1, a,b a=1,b a|b"),
    *_words(rb"4xx 9XX .. %2e%2e %2f / // * *a*b ; a;b=c & = %00 %0d%0a % %% %zz %u6f22 %E6%BC%A2 %D9%A3"),
    *_words(b"%C2%B2 %ff%fe %20 %ed%a0%80 \xff\xfe \xd9\xa3 \xc2\xb2 \xef\xbc\x91 \xe6\xbc\xa2 \xed\xa0\x80"),
    *(b"", _DIGITS, b"-" + _DIGITS, b"1e" + _DIGITS, _DIGITS + b".0", b"9" * 30, b"x" * 300),
]
"""Values of parameters, as they are written in a path or a query."""

QUERIES = [
    *_words(rb"&&& = == a a=1;b=2 a=% a=%zz a[b]=1 a[]=1 a[b][c]=1 + a=1&a=2&a=3 ? a=%00 a=%ff%fe token=1"),
    *_words(rb"a=%ED%A0%80 limit=1e3 after=1.0 limit=1.0 status=4XX api_key=mhk_test_pro_5 path=*a*"),
    *_words(b"x=\xe6\xbc\xa2 \xe6\xbc\xa2 x=\xff \xff x=\xc2\xb2"),
    *(
        b"a=" + _DIGITS,
        b"limit=" + _DIGITS,
        b"x" * 3000,
        b"&".join(b"k%d=1" % number for number in range(200)),
    ),
]

METHODS = [
    *_words(rb"GET HEAD POST PUT PATCH DELETE OPTIONS TRACE PROPFIND QUERY X get !#$%&'*+"),
    b"G" * 60,
]

BODIES = [
    *_words(b"{} [] null 0 \xff \0 { 1e400 NaN"),
    *(b"x" * 1000, _DIGITS, b"[" * 20_000, b'"' + b"\\u0000" * 50),
]

CONTENT_TYPES = [
    *_words(rb"text/plain */* a / ;;; application/problem+json multipart/form-data image/* x/octet-stream"),
    *(b"", b"application/json; charset=utf-16", b"application/json; charset=\xff", b"APPLICATION/JSON"),
    *(b"application/x-www-form-urlencoded; charset=nope", b"application/json, text/plain", _CHINESE),
    *(b"multipart/form-data; boundary=" + b"x" * 3000, b"application/json" + b";a=b" * 500),
]

FRAMINGS = [
    *_headers(b"Content-Length", b"-1|+1|abc|1e3|0x5|5, 6|1.0||1_0|00000000000000000000|\xb2|\xef\xbc\x91"),
    *_headers(b"Content-Length", b"9" * 30 + b"|" + _DIGITS),
    *_headers(b"Transfer-Encoding", b"gzip|identity|chunked, gzip|\xff"),
]
"""Wrong ways to tell a body's length; an empty value stands for the right one."""

SPOILING = frozenset({b"Connection", b"Expect", b"Upgrade", b"Content-Length", b"Transfer-Encoding"})
"""Headers that change what comes after on their connection."""

_LONG = b"x" * 3000

HEADERS = [
    *_headers(b"Accept", b"text/html|*/*;q=0|a/b;q=nan|\xff|image/*|,,,;;;|a/b;q=1e400|a/b;q=-1|" + _LONG),
    *_headers(b"Accept", b"application/json;q=" + _DIGITS + b"|application/json;q=\xef\xbc\x91"),
    *_headers(b"Range", b"bytes=0-0|bytes=-1|bytes=9-1|x=1|bytes=0-1,2-3,\xff|bytes=" + _DIGITS + b"-"),
    *_headers(b"If-Modified-Since", b"Sun, 06 Nov 1994 08:49:37 GMT|x|\xff||" + _DIGITS),
    *_headers(b"Cookie", b'a=b|a|=|\xff=\xff|;;|bluehour_control=\xff|a="\\999"|a=' + _LONG),
    *_headers(b"Cookie", b"; ".join([b"a=b"] * 300)),
    *_headers(
        b"Prefer", b"code=429|code=503|code=200|code=204|code=299|code=304|code=599|code=100|code=1e2|code"
    ),
    *_headers(
        b"Prefer",
        b"code=\"404\"|code*=utf-99''404|code*=UTF-8''404|code*0=4|code=\xb2\xb2\xb2|code=" + _DIGITS,
    ),
    *_headers(
        b"Prefer", b"delay=0|delay=0.001|delay=nan|delay=inf|delay=-1|delay=1e400|delay=99999|delay=|delay"
    ),
    *_headers(b"Prefer", b"delay=0x0|delay=1_0_0_0_0|delay=\xb2|respond-async|;;==,,|\xff|delay=" + _DIGITS),
    *_headers(b"Host", b"|[|a:b:c|\xe6\xbc\xa2|localhost|127.0.0.1:99999|@|" + _LONG),
    *_headers(
        b"Authorization", b"|Bearer|Bearer |Bearer \xff|Basic dTpw|Basic \xff|Bearer a b|bearer x|x|Digest x"
    ),
    *_headers(
        b"Authorization", b"Bearer mhk_test_free_0|Bearer mhk_test_invalid|Bearer mhk_test_pro_" + _DIGITS
    ),
    *_headers(b"X-Odd", b"\xff\xfe|\xe6\xbc\xa2|\x80|a\tb|" + b"x" * 20_000),
    *_headers(b"X-Request-Source", b"\xff|web|null|"),
    *_headers(b"Connection", b"close|keep-alive, \xff|Upgrade, HTTP2-Settings"),
    *_headers(b"Expect", b"100-continue|x"),
    *_headers(b"Upgrade", b"websocket|h2c"),
    *_headers(b"Origin", b"null|http://127.0.0.1:4010|\xff"),
    *_headers(b"Sec-Fetch-Site", b"cross-site|\xff"),
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Forwarded", b"for=1.2.3.4"),
    (b"X-Forwarded-For", b"\xff"),
    (b"X-Forwarded-Host", b"["),
    (b"X-Forwarded-Proto", b"x"),
    (b"Accept-Encoding", b"gzip, br;q=x"),
    (b"Accept-Language", b"\xff"),
    (b"If-Range", b'"x"'),
    (b"If-Match", b"*"),
    (b"If-None-Match", b'"a", W/"b"'),
    (b"If-Unmodified-Since", b"Thu, 99 Foo 99999 99:99:99 GMT"),
    (b"Referer", b"http://["),
    (b"X-Api-Key", b"\xff"),
    (b"api_key", b"x"),
    (b"Te", b"trailers"),
    (b"Content-Encoding", b"gzip"),
    (b"Content-Type", b"text/plain"),
    (b"Content-Length", b"0"),
    (b"Content_Length", b"5"),
    (b"X-Http-Method-Override", b"DELETE"),
    (b"X-Original-Url", b"/_mock/state"),
    (b"X-" + b"a" * 200, b"b" * 200),
    (b"!#$%&'*+", b"x"),
]
