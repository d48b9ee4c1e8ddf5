// What the server tells by itself: entries as they come, and the names of what has changed.

const entryListeners = [];
const changeListeners = new Map();
const connectionListeners = [];

const RETRY_MS = 1000;

export const onEntry = (listener) => entryListeners.push(listener);
/** Call a listener with `live`, `lost` or `refused`. */
export const onConnection = (listener) => connectionListeners.push(listener);

/** Call a listener when one of these has changed, and when a lost connection is back. */
export function onChanged(names, listener) {
  for (const name of names) changeListeners.set(name, [...(changeListeners.get(name) ?? []), listener]);
}

export function connect() {
  const source = new EventSource("/_mock/events");
  source.addEventListener("open", () => {
    tell("live");
    readAnew(); // whatever happened meanwhile was missed
  });
  // More has happened than was kept for this slow page.
  source.addEventListener("gap", readAnew);
  source.addEventListener("entry", (event) => {
    const entry = JSON.parse(event.data);
    for (const listener of entryListeners) listener(entry);
  });
  source.addEventListener("changed", (event) => {
    for (const listener of changeListeners.get(JSON.parse(event.data)) ?? []) listener();
  });
  source.addEventListener("error", () => {
    // The browser gives up on an answer that is no stream; a restarted mock deserves another try.
    const refused = source.readyState === EventSource.CLOSED;
    if (refused) setTimeout(connect, RETRY_MS);
    tell(refused ? "refused" : "lost");
  });
}

function readAnew() {
  for (const listener of new Set([...changeListeners.values()].flat())) listener();
}

function tell(state) {
  for (const listener of connectionListeners) listener(state);
}

/** A task that runs at most once at a time, and once more after that if it was asked for meanwhile. */
export function coalesced(task, pause = 150) {
  let busy = false;
  let again = false;
  return async function run() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      await task();
      await new Promise((resolve) => setTimeout(resolve, pause));
    } finally {
      busy = false;
    }
    if (again) {
      again = false;
      run();
    }
  };
}
