// The events of one account: one connection for all windows of this browser, held by one of them, which passes on what comes. (A
// browser opens six connections to a server at most; the seventh window would wait for ever.) When that window closes, another
// takes its place.
const SILENT_MS = 25_000; // the server says something every 10 s
const LOOK_MS = 5_000;
const AGAIN_MS = 60_000; // after the server said no
const FOLDERS = 8;

// `tell(type, data)`: "state" with its word, "change" with {kind, folder}, "beat", and "lost" with "closed" when nothing comes any
// more by itself. `folder` is the one that this window shows; the answer is a function to be called when it shows another.
export function listen(url, folder, tell) {
  const state = { url, tell, folders: new Set(folder ? [folder] : []), source: null, heard: Date.now(), said: null };
  state.channel = new BroadcastChannel(`casilla.live${url}`);
  state.channel.addEventListener("message", ({ data }) => onMessage(state, data));
  state.channel.postMessage({ shows: folder, asks: true });
  if (navigator.locks) navigator.locks.request(`casilla.live${url}`, () => hold(state));
  else hold(state);
  return (shown) => {
    state.channel.postMessage({ shows: shown });
    show(state, shown);
  };
}

function onMessage(state, { type, data, shows, asks }) {
  if (type) state.tell(type, data);
  if (!state.source) return;
  if (asks && state.said) state.channel.postMessage({ type: "state", data: state.said });
  if (asks) state.channel.postMessage({ type: "change", data: { kind: "all", folder: "" } });
  if (shows) show(state, shows);
}

// Where not every folder is watched, those that are open are asked for by name.
function show(state, folder) {
  if (!folder || state.folders.has(folder)) return;
  state.folders = new Set([...state.folders, folder].slice(-FOLDERS));
  if (state.source && state.said === "partly") connect(state);
}

// Holds the connection until the window goes.
function hold(state) {
  connect(state);
  setInterval(() => {
    if (state.source.readyState !== EventSource.CLOSED && Date.now() - state.heard > SILENT_MS) lose(state, "");
  }, LOOK_MS);
  window.addEventListener("online", () => connect(state));
  return new Promise(() => {});
}

function connect(state) {
  clearTimeout(state.timer);
  state.source?.close();
  state.heard = Date.now();
  const query = new URLSearchParams([...state.folders].map((folder) => ["f", folder]));
  const source = (state.source = new EventSource(`${state.url}?${query}`));
  source.addEventListener("state", ({ data }) => { state.said = data; pass(state, "state", data); });
  source.addEventListener("change", ({ data }) => pass(state, "change", JSON.parse(data)));
  source.addEventListener("beat", () => pass(state, "beat"));
  source.addEventListener("error", () => {
    if (source !== state.source) return;
    const closed = source.readyState === EventSource.CLOSED;
    state.said = null;
    pass(state, "lost", closed ? "closed" : "");
    if (closed) state.timer = setTimeout(() => connect(state), AGAIN_MS);
  });
}

function lose(state, how) {
  pass(state, "lost", how);
  connect(state);
}

function pass(state, type, data) {
  if (type !== "lost") state.heard = Date.now();
  state.tell(type, data);
  state.channel.postMessage({ type, data });
}
