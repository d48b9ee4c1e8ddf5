// The ready Node worker: runs a client, a JavaScript function, once for every line that comes.
//
//     node node_worker.cjs client.mjs:edit
//
// It needs nothing but Node 18. How it talks is told in docs/fuzz-protocol.md.
//
// Sleeping takes no time: when the client waits for nothing but its timers, the clock jumps to the first.
// While it waits for the network, time goes on as it really does, so a timer that guards a request guards it.

"use strict";

const { AsyncLocalStorage, AsyncResource } = require("node:async_hooks");
const { createHash } = require("node:crypto");
const diagnostics = require("node:diagnostics_channel");
const fs = require("node:fs");
const http = require("node:http");
const module_ = require("node:module");
const path = require("node:path");
const timers = require("node:timers");
const promisedTimers = require("node:timers/promises");
const { fileURLToPath, pathToFileURL } = require("node:url");
const { inspect, promisify } = require("node:util");

const FUNCTION = "edit";
const MOST_SAID = 64 * 2 ** 10;
const TURNS = 4; // of the event loop without anything new: then the client waits
const LOOK_MS = 2; // between two looks at what is in flight
const GRACE_MS = 25; // before a jump to a timer that may be a guard of something that can't be seen
const LIFELESS_MS = 300; // without a timer or a request: then nothing will ever come
const SILENCE_MS = 2000; // of a peer, at the least: then it isn't waited for any more
const SILENCE = 6; // of a client's patience, likewise
const TINY_MS = 1; // a timer that only yields; it is not worth telling
const FOR_EVER_S = 3600; // what a client sleeps that waits for nothing at all

const BEGAN = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** What the client is not to see, but this file needs. */
const real = {
  clearTimeout,
  exit: process.exit.bind(process),
  hrtime: process.hrtime.bigint,
  now: () => Number(real.hrtime()) / 1e6 - BEGAN, // milliseconds, as performance.now has them
  setImmediate,
  setInterval,
  setTimeout,
  today: Date.now,
  uptime: process.uptime.bind(process),
  write: process.stdout.write.bind(process.stdout),
  writeSync: fs.writeSync,
};

// Whose code is running. What a client leaves behind when its task is over must not disturb the next one.

const running = new AsyncLocalStorage();
let current = null; // the run that a task has begun and that isn't over

const owner = () => running.getStore() ?? current;
const isLeftOver = () => owner() !== current;

// What is in flight.

/** Requests that have not got their answer, and other work that ends by itself. */
class Traffic {
  constructor() {
    this.requests = new Map();
    this.patience = SILENCE_MS;
    this.othersSince = null;
    this.isSeen = false; // whether the task has made a request that is seen here
  }

  begin(patience) {
    this.patience = Math.max(SILENCE_MS, patience * SILENCE);
    this.isSeen = false;
  }

  /** Count a new request in; `look` tells whether the network is awaited, and how many bytes have passed. */
  begins(request, look) {
    if (this.requests.has(request)) return false;
    this.requests.set(request, { owner: owner(), since: real.now(), bytes: 0, look });
    this.isSeen = true;
    pump.happened();
    return true;
  }

  ends(request) {
    if (this.requests.delete(request)) pump.soon();
  }

  /** Whether the client waits for something that may yet come. */
  isBusy() {
    const answers = [...this.requests.values()].filter((each) => each.owner === current);
    return answers.map((each) => this.isAwaited(each)).some(Boolean) || this.isOtherwiseBusy();
  }

  isAwaited(answer) {
    const { isAwaited, bytes } = answer.look();
    if (bytes !== answer.bytes) Object.assign(answer, { bytes, since: real.now() });
    return isAwaited && real.now() - answer.since < this.patience;
  }

  /** Files, names, connections, child processes, and immediates but our own. */
  isOtherwiseBusy() {
    const active = process.getActiveResourcesInfo();
    const immediates = active.filter((name) => name === "Immediate").length - (pump.isSoon ? 1 : 0);
    if (immediates <= 0 && !active.some((name) => Traffic.ENDS.test(name))) {
      this.othersSince = null;
      return false;
    }
    this.othersSince ??= real.now();
    return real.now() - this.othersSince < this.patience;
  }

  /** Whether anything of the running task is open, awaited or silent. */
  get isOpen() {
    return [...this.requests.values()].some((each) => each.owner === current) || this.othersSince !== null;
  }

  forget(run) {
    for (const [request, { owner }] of this.requests) if (owner === run) this.requests.delete(request);
  }

  watch() {
    this.watchHttp();
    this.watchFetch();
  }

  /** Requests of `http` and `https`, and so of all that is built on them. */
  watchHttp() {
    const begins = (request) => {
      if (this.begins(request, () => httpState(request))) request.once("close", () => this.ends(request));
    };
    diagnostics.subscribe("http.client.request.start", ({ request }) => begins(request));
    const { addRequest } = http.Agent.prototype; // earlier than the channel: the body may take its time
    http.Agent.prototype.addRequest = function (request, ...rest) {
      begins(request);
      return addRequest.call(this, request, ...rest);
    };
  }

  /** Requests of `fetch`, and of the package `undici`. */
  watchFetch() {
    const look = () => ({ isAwaited: true, bytes: 0 }); // more can't be seen of it
    diagnostics.subscribe("undici:request:create", ({ request }) => this.begins(request, look));
    diagnostics.subscribe("undici:request:headers", ({ request }) => {
      const answer = this.requests.get(request);
      if (answer) answer.since = real.now();
    });
    for (const end of ["trailers", "error"])
      diagnostics.subscribe(`undici:request:${end}`, ({ request }) => this.ends(request));
  }
}

/** Names of resources that end by themselves, as a socket or a server does not. */
Traffic.ENDS = /Req|ConnectWrap|WriteWrap|ShutdownWrap|SendWrap|^Process/;

/** An answer that has come whole, or whose buffer is full, waits for the client, read or not. */
function httpState(request) {
  const { res, socket } = request;
  const isFull = res && res.readableLength >= res.readableHighWaterMark;
  const isAwaited = !request.destroyed && !(res && (res.complete || res.destroyed || isFull));
  return { isAwaited, bytes: (socket?.bytesRead ?? 0) + (socket?.bytesWritten ?? 0) };
}

// The clock, its timers, and what makes it jump.

const clock = {
  slept: 0, // milliseconds
  sleptBefore: 0, // of that, by the tasks that are over: each task begins today
  now: () => real.now() + clock.slept,
  today: () => Math.floor(real.today() + clock.slept - clock.sleptBefore),
};

/** What setTimeout and setInterval return. */
class Timer {
  constructor(callback, delay, args, repeats = false) {
    this.callback = callback;
    this.delay = delay >= 1 && delay < 2 ** 31 ? Number(delay) : 1; // too long is 1 in Node, too
    this.args = args;
    this.repeats = repeats;
    this.isRef = true;
    this.owner = owner();
    this.resource = new AsyncResource("Timeout");
    pump.arm(this);
  }

  fire() {
    if (this.repeats) pump.arm(this);
    else pump.drop(this);
    this.resource.runInAsyncScope(this.callback, this, ...this.args);
  }

  /** Those that many tasks share are refreshed in any of them. */
  refresh() {
    this.owner = current;
    pump.arm(this);
    return this;
  }

  close() {
    pump.drop(this);
    return this;
  }

  ref() {
    this.isRef = true;
    return this;
  }

  unref() {
    this.isRef = false;
    return this;
  }

  hasRef() {
    return this.isRef;
  }

  [Symbol.toPrimitive]() {
    return this.resource.asyncId(); // a number that no timer of Node's has
  }
}
if (Symbol.dispose) Timer.prototype[Symbol.dispose] = Timer.prototype.close;

/** Fires timers, and has the clock jump to them when the client does nothing else than wait. */
class Pump {
  constructor() {
    this.timers = new Set();
    this.isAsking = false;
    this.isSoon = false;
    this.alarm = null;
    this.turns = 0;
    this.busyAt = 0; // on the client's clock: something was in flight, or began to be
    this.stillSince = 0; // on the client's clock: nothing has happened since
  }

  arm(timer) {
    timer.armedAt = clock.now();
    timer.due = timer.armedAt + timer.delay;
    this.timers.delete(timer); // to be the last of those that are due at one time
    if (timer.owner === current || timer.owner === null) this.timers.add(timer);
    this.soon();
  }

  drop(timer) {
    this.timers.delete(timer);
  }

  find(id) {
    return [...this.timers].find((timer) => timer.resource.asyncId() === Number(id));
  }

  forget(run) {
    for (const timer of this.timers) if (timer.owner === run) this.timers.delete(timer);
  }

  get first() {
    let first;
    for (const timer of this.timers) if (!first || timer.due < first.due) first = timer;
    return first;
  }

  /** Note that something is in flight. */
  happened() {
    this.busyAt = this.stillSince = clock.now();
    this.turns = 0;
  }

  soon() {
    if (this.isSoon) return;
    this.isSoon = true;
    real.setImmediate(() => {
      this.isSoon = false;
      this.look();
    });
  }

  later(ms) {
    real.clearTimeout(this.alarm);
    this.alarm = real.setTimeout(() => this.look(), ms);
  }

  look() {
    if (this.isAsking) return;
    const { first } = this;
    if (first && first.due <= clock.now()) this.fire(first);
    else if (!current) first && this.later(Math.min(first.due - clock.now(), 1000));
    else if (traffic.isBusy()) this.wait();
    else if (++this.turns < TURNS) this.soon();
    else if (!first) this.lookForLife();
    else if (first.due - clock.now() <= TINY_MS) this.later(TINY_MS);
    else if (this.sleeps() || this.isStillFor(GRACE_MS)) this.ask((first.due - this.from(first)) / 1000);
    else this.later(LOOK_MS);
  }

  /** One timer at a time: what its callback promises comes before the next. */
  fire(timer) {
    this.stillSince = clock.now();
    this.turns = 0;
    this.soon();
    timer.fire();
  }

  wait() {
    this.happened();
    this.later(LOOK_MS);
  }

  /** Whether setting a timer is the last that the client has done. All others may be guards. */
  sleeps() {
    return [...this.timers].some((timer) => timer.armedAt >= this.busyAt);
  }

  isStillFor(ms) {
    return clock.now() - this.stillSince >= ms;
  }

  /** From when on the client only waited; so a sleep of 2 s is told as one of 2 s. */
  from(timer) {
    return Math.max(timer.armedAt, this.stillSince);
  }

  /** A client that waits for no timer and no answer would wait for ever. */
  lookForLife() {
    const longest = traffic.isSeen ? LIFELESS_MS : traffic.patience; // it may know other ways to the network
    if (!traffic.isOpen && this.isStillFor(longest)) this.ask(FOR_EVER_S);
    else this.later(LOOK_MS);
  }

  ask(seconds) {
    this.isAsking = true;
    tell({ sleep: Math.round(seconds * 1e6) / 1e6 });
  }

  answered(slept) {
    this.isAsking = false;
    clock.slept += slept * 1000;
    this.stillSince = clock.now();
    this.turns = 0;
    this.soon();
  }
}

const pump = new Pump();
const traffic = new Traffic();

// What the client finds in the place of Node's clock. Node itself keeps its own.

function installClock() {
  const ours = {
    setTimeout: timerSetter(real.setTimeout, false),
    setInterval: timerSetter(real.setInterval, true),
    clearTimeout: clear,
    clearInterval: clear,
  };
  ours.setTimeout[promisify.custom] = sleep;
  Object.assign(globalThis, ours);
  Object.assign(timers, ours);
  Object.assign(promisedTimers, { setTimeout: sleep, setInterval: ticks });
  promisedTimers.scheduler.wait = (delay, options) => sleep(delay, undefined, options);
  AbortSignal.timeout = timeoutSignal;
  installDates();
  module_.syncBuiltinESMExports();
}

function timerSetter(theirs, repeats) {
  return function setter(callback, delay, ...args) {
    const isNodes = typeof callback !== "function" || isCalledByNode(setter);
    return isNodes ? theirs(callback, delay, ...args) : new Timer(callback, delay, args, repeats);
  };
}

/** Node's own fetch uses the timers that all use; they guard sockets and stay real. */
function isCalledByNode(callee) {
  const { stackTraceLimit } = Error;
  const trace = {};
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(trace, callee);
  Error.stackTraceLimit = stackTraceLimit;
  return /\bat (.* \()?node:/.test(String(trace.stack));
}

function clear(timer) {
  if (timer instanceof Timer) return pump.drop(timer);
  const found = ["number", "string"].includes(typeof timer) && pump.find(timer);
  return found ? pump.drop(found) : real.clearTimeout(timer);
}

/** As of `timers/promises`. */
function sleep(delay, value, options) {
  const { signal, ref = true } = options ?? {};
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new AbortError(signal));
    const abort = () => {
      timer.close();
      reject(new AbortError(signal));
    };
    const wake = () => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    };
    const timer = new Timer(wake, delay, []);
    if (!ref) timer.unref();
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** As setInterval of `timers/promises`. */
async function* ticks(delay, value, options) {
  const { signal } = options ?? {};
  let wake;
  let ticked = 0;
  const tick = () => {
    ticked++;
    wake?.();
  };
  const timer = new Timer(tick, delay, [], true);
  signal?.addEventListener("abort", () => wake?.(), { once: true });
  try {
    for (let seen = 0; ; seen++) {
      while (ticked <= seen && !signal?.aborted) await new Promise((resolve) => (wake = resolve));
      if (signal?.aborted) throw new AbortError(signal);
      yield value;
    }
  } finally {
    timer.close();
  }
}

class AbortError extends Error {
  constructor({ reason }) {
    super("The operation was aborted", { cause: reason });
    this.name = "AbortError";
    this.code = "ABORT_ERR";
  }
}

/** Deadlines too are on the client's clock, else a client that sleeps till one would sleep for ever. */
function timeoutSignal(delay) {
  const controller = new AbortController();
  const late = () => new DOMException("The operation was aborted due to timeout", "TimeoutError");
  new Timer(() => controller.abort(late()), delay, []).unref();
  return controller.signal;
}

function installDates() {
  const RealDate = Date;
  RealDate.now = clock.today;
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new RealDate(clock.today()).toString(),
    construct: (_, args, made) => Reflect.construct(RealDate, args.length ? args : [clock.today()], made),
  });
  RealDate.prototype.constructor = globalThis.Date;
  Object.defineProperty(performance, "now", { value: clock.now, configurable: true, writable: true });
  process.uptime = () => real.uptime() + clock.slept / 1000;
  process.hrtime = ([seconds, nanoseconds] = [0, 0]) => {
    const passed = process.hrtime.bigint() - BigInt(seconds) * 10n ** 9n - BigInt(nanoseconds);
    return [Number(passed / 10n ** 9n), Number(passed % 10n ** 9n)];
  };
  process.hrtime.bigint = () => real.hrtime() + BigInt(Math.round(clock.slept * 1e6));
}

// What the client writes.

const said = {
  text: "",

  add(chunk, encoding) {
    if (isLeftOver() || said.text.length >= MOST_SAID) return;
    said.text += Buffer.from(chunk, encoding).toString();
  },

  taken() {
    const text = said.text.slice(0, MOST_SAID);
    said.text = "";
    return text;
  },
};

/** The real output is the protocol's alone. */
function installOutput() {
  for (const stream of [process.stdout, process.stderr])
    stream.write = (chunk, encoding, written) => {
      const done = typeof encoding === "function" ? encoding : written;
      said.add(chunk, typeof encoding === "string" ? encoding : "utf8");
      if (done) process.nextTick(done);
      return true;
    };
  fs.writeSync = (file, chunk, ...rest) => {
    if (file !== 1 && file !== 2) return real.writeSync(file, chunk, ...rest);
    said.add(chunk, "utf8");
    return Buffer.byteLength(chunk);
  };
}

// One run of the client.

/** A client that has a task to do; it is over once. */
class Run {
  constructor(client, refusals) {
    this.client = client;
    this.refusals = refusals;
    this.reply = null;
  }

  begin(task) {
    const end = (reply) => real.setImmediate(() => this.end(reply)); // what nobody has caught comes first
    const { client } = this;
    const call = async () => client(task);
    running.run(this, () => call().then(done).then(end, (error) => end(failed(error, this.refusals))));
  }

  end(reply) {
    if (this.reply) return;
    this.reply = { ...reply, said: said.taken() };
    current = null;
    pump.forget(this);
    traffic.forget(this);
    if (pump.isAsking) waiting = this.reply;
    else tell(this.reply);
  }
}

let waiting = null; // a reply that is told when the last sleep has been answered

function done(result) {
  const told = result ?? {};
  const isPlain = typeof result === "string" || isBytes(result) || Array.isArray(result);
  const saved = isPlain ? [result] : [told.files, told.downloadedPaths, told.downloaded_paths];
  const parts = saved.flat().filter((part) => part !== undefined && part !== null);
  const credits = told.creditsCharged ?? told.credits_charged;
  return {
    outcome: "done",
    status: told.status === undefined || told.status === null ? null : String(told.status),
    files: parts.filter((part) => !isBytes(part)).map(String),
    digests: parts.filter(isBytes).map(digest),
    credits: Number.isInteger(credits) ? credits : null,
  };
}

const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value);

function digest(bytes) {
  const view = ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes);
  return createHash("sha256").update(view).digest("hex");
}

const failed = (error, refusals) => ({
  outcome: isRefusal(error, refusals) ? "refused" : "crashed",
  ...described(error),
});

const crashed = (error) => ({ outcome: "crashed", ...described(error) });

function described(error) {
  const type = typeName(error);
  const text = isError(error) ? `${error.message}${causes(error)}` : inspect(error);
  return { error: `${type}: ${text}`.slice(0, MOST_SAID), type, where: where(error) };
}

/** The class's name, but where that says nothing. By name: each realm has classes of its own. */
function typeName(error) {
  const name = error?.constructor?.name ?? typeof error;
  return isError(error) && UNSPECIFIC.includes(name) ? String(error.name || name) : name;
}

const UNSPECIFIC = ["Error", "NodeError", "DOMException"];

const isError = (value) => typeof value?.message === "string" && typeof value.stack === "string";

function causes({ cause }) {
  if (cause === undefined || cause === null) return "";
  if (!isError(cause)) return ` (${inspect(cause)})`;
  return ` (${cause.code ?? typeName(cause)}: ${cause.message})`;
}

/** Classes of what nobody throws on purpose. */
const BUGS = /^(Type|Range|Reference|Syntax|Eval|URI|Internal|Assertion)Error$/;
const NETWORK = ["ECONN", "ETIMEDOUT", "EPIPE", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"];
const TRANSFER = ["ABORT_ERR", "UND_ERR_", "HPE_", "ERR_STREAM_PREMATURE_CLOSE"];

/** Whether somebody meant to say this: by a class of their own, by a plain Error, or by any value. */
function isRefusal(error, refusals) {
  if (refusals) return refusals.some((type) => error instanceof type);
  if (error === undefined || error === null) return false;
  if (isOfNetwork(error)) return true;
  const name = typeName(error);
  if (name === "AggregateError") return error.errors?.every((each) => isRefusal(each)) ?? false;
  return !BUGS.test(name) && !isOfNode(error, name);
}

/** A plain Error by which Node tells that it is not used as it should be. */
const isOfNode = ({ code }, name) => name === "Error" && String(code).startsWith("ERR_");

/** What fetch throws where no answer came is a TypeError of these words, and its cause says why. */
function isOfNetwork(error) {
  if (error.message === "fetch failed" && isError(error.cause)) return true;
  for (let each = error; isError(each); each = each.cause)
    if ([...NETWORK, ...TRANSFER].some((code) => String(each.code).startsWith(code))) return true;
  return false;
}

const FRAME = /^ +at (?:(?:async )?(.+?) \()?(?:async )?(.+?):(\d+):\d+\)?$/;

/** The innermost line that is none of Node's own, nor of this file. */
function where(error) {
  for (const line of String(error?.stack ?? "").split("\n")) {
    const [, name = "<anonymous>", place, number] = FRAME.exec(line) ?? [];
    if (!place || place.startsWith("node:") || place === __filename) continue;
    const file = place.startsWith("file:") ? fileURLToPath(place) : place;
    const short = file.split(path.sep).slice(-2).join("/");
    return `${short}:${number} in ${name.replace(/^(module\.)?exports\./, "")}`;
  }
  return "";
}

/** Whatever nobody catches is the running task's; of those that are over, nothing is told. */
function installLastResort() {
  const crash = (error) => {
    if (!isLeftOver()) current ? current.end(crashed(error)) : isLoading && leaveBecause(error);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  process.exit = (code = process.exitCode) => {
    const error = new Error(`process.exit(${code ?? ""}) was called`);
    crash(error);
    throw error;
  };
}

// The process.

const tell = (message) => real.write(`${JSON.stringify(message)}\n`);

function leave(message) {
  real.writeSync(2, `${message}\n`);
  real.exit(2);
}

let isLoading = true;

function leaveBecause(error) {
  const [why] = described(error).error.split("\n");
  leave(`${process.argv[2]} can't be loaded: ${why}`);
}

async function loaded(name) {
  const [, file, wanted = FUNCTION] = /^(.*?)(?::([\w$]+))?$/s.exec(name);
  const place = path.resolve(file);
  if (!fs.statSync(place, { throwIfNoEntry: false })?.isFile()) leave(`there is no file ${file}`);
  const exported = await imported(place).catch(leaveBecause);
  const own = (key) => exported[key] ?? exported.default?.[key];
  if (typeof own(wanted) !== "function") leave(`${file} has no function ${wanted}`);
  const refusals = own("REFUSES");
  return { client: own(wanted), refusals: refusals && [...refusals] };
}

async function imported(place) {
  try {
    if (!place.endsWith(".mjs")) return require(place);
  } catch (error) {
    if (!["ERR_REQUIRE_ESM", "ERR_REQUIRE_ASYNC_MODULE"].includes(error.code)) throw error;
  }
  return import(pathToFileURL(place));
}

/** Call for each line of the input; its end is the end of the process. */
function listen(hear) {
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("end", () => real.exit(0));
  process.stdin.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) hear(parsed(line));
  });
}

function parsed(line) {
  try {
    const message = JSON.parse(line);
    if (message !== null && typeof message === "object" && !Array.isArray(message)) return message;
  } catch {
    // told below, as all that is no object
  }
  return leave(`no JSON object: ${line.slice(0, 200)}`);
}

const NEEDED = ["task", "url", "token", "photo", "out", "patience"];

function begin(message, { client, refusals }) {
  const missing = NEEDED.filter((key) => !(key in message));
  if (missing.length) leave(`no task: it lacks ${missing.join(", ")}`);
  if (current || waiting) leave("a task came before the last was over");
  said.taken(); // what was still said after the task before
  clock.sleptBefore = clock.slept;
  current = new Run(client, refusals);
  traffic.begin(message.patience * 1000);
  pump.happened();
  pump.soon();
  const { task: _, ...task } = message;
  current.begin(task);
}

function answer(message) {
  const isStop = message.stop === true;
  if (!isStop && !(pump.isAsking && Number.isFinite(message.slept))) leave("no answer to a sleep");
  if (pump.isAsking) pump.answered(isStop ? 0 : message.slept);
  if (isStop) current?.end({ outcome: "stopped" }); // with no task it is late: the client has just ended
  if (waiting) tell(waiting);
  waiting = null;
}

async function main() {
  const [name, ...more] = process.argv.slice(2);
  if (!name || more.length) leave("say which client to run: node_worker.cjs client.mjs:function");
  Error.stackTraceLimit = 50; // deep enough for the client's own line
  installOutput();
  installClock();
  installLastResort();
  traffic.watch();
  const client = await loaded(name);
  isLoading = false;
  listen((message) => ("stop" in message || "slept" in message ? answer(message) : begin(message, client)));
  tell({ ready: 1, clock: "virtual" });
}

main();
