// A recorded request, or one to begin with, as a command line.

// curl sets these itself, or they are about a connection that is gone.
const OWN = new Set(["host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding"]);

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// The journal keeps the beginning of a secret only; whoever runs the command knows the rest.
function header(name, value) {
  if (name.toLowerCase() !== "authorization") return quoted(`${name}: ${value}`);
  const scheme = value.match(/^[\w-]+(?= )/);
  return `"${name}: ${scheme ? `${scheme[0]} ` : ""}$TOKEN"`;
}

/** The command that sends an entry's request once more. */
export function curlOf({ request }) {
  const { method, path, query, headers, body, size } = request;
  const words = ["curl"];
  const sends = body || size;
  if (method !== (sends ? "POST" : "GET")) words.push("-X", method);
  words.push(quoted(location.origin + path + (query ? `?${query}` : "")));
  for (const [name, value] of headers) {
    if (!OWN.has(name.toLowerCase())) words.push("-H", header(name, value));
  }
  if (body) words.push("--data-raw", quoted(body));
  else if (size) words.push("--data-binary", "@FILE");
  return words.join(" ");
}

/** The command that makes an operation's first call. */
export function firstCurl({ method, url, token, body }) {
  const words = ["curl"];
  if (method !== (body ? "POST" : "GET")) words.push("-X", method);
  words.push(quoted(url));
  if (token) words.push(" \\\n  -H", quoted(`Authorization: Bearer ${token}`));
  if (body) {
    words.push(" \\\n  -H", quoted("Content-Type: application/json"));
    words.push(" \\\n  -d", quoted(JSON.stringify(body)));
  }
  return words.join(" ").replaceAll("  \\\n", " \\\n");
}
