// What stands between a script and its host. It is evaluated before the script, and keeps what it needs of the language, so
// that a script which changes `JSON` or `Promise` spoils nothing but its own run.

const { stringify, parse } = JSON;
const { create, defineProperty, freeze, getPrototypeOf } = Object;
const AnyError = Error;
const ATypeError = TypeError;
const APromise = Promise;
const Text = String;
const bound = Function.prototype.call;
const wellFormed = bound.bind(String.prototype.toWellFormed);
const isWellFormed = bound.bind(String.prototype.isWellFormed);
const isMap = bound.bind(Object.prototype.isPrototypeOf, Map.prototype);
const isSet = bound.bind(Object.prototype.isPrototypeOf, Set.prototype);

// Code from text is refused, as it is in other places where scripts like these run.
for (const sample of [function () {}, async function () {}, function* () {}, async function* () {}]) {
  const prototype = getPrototypeOf(sample);
  const refuse = function () {
    throw new EvalError("code from text is not run; write the function in the script");
  };
  defineProperty(prototype, "constructor", { value: refuse });
  defineProperty(refuse, "prototype", { value: prototype });
  if (prototype === Function.prototype) {
    defineProperty(refuse, "name", { value: "Function" });
    globalThis.Function = refuse;
    globalThis.eval = (text) => (typeof text === "string" ? refuse() : text);
  }
}

// JSON leaves out or changes some values without a word. What a script hands out must not be lost like that.
function strict(key, value) {
  let what;
  if ((typeof value === "string" && !isWellFormed(value)) || (typeof key === "string" && !isWellFormed(key))) {
    what = "a text with half a character (use text.toWellFormed())";
  } else if (typeof value === "number" && value - value !== 0) what = `the number ${value}`;
  else if (typeof value === "bigint") what = "a BigInt (use String(value), or Number(value))";
  else if (typeof value === "function") what = "a function";
  else if (typeof value === "symbol") what = "a symbol";
  else if (typeof value === "object" && value !== null) {
    if (isMap(value)) what = "a Map (use Object.fromEntries(map))";
    else if (isSet(value)) what = "a Set (use [...set])";
  }
  if (what !== undefined) {
    throw new TypeError(`${key === "" ? "the value" : `"${wellFormed(Text(key))}"`} is ${what}, which JSON cannot hold`);
  }
  return value;
}

function toText(value) {
  if (typeof value === "string") return wellFormed(value);
  try {
    if (typeof value === "object" && value !== null && value instanceof AnyError) return wellFormed(`${value}`);
    const json = stringify(value);
    return json === undefined ? wellFormed(Text(value)) : json;
  } catch {
    return "(a value that cannot be written)";
  }
}

// A result with the text that people read instead of its JSON.
class Answer {
  #value;
  #text;
  constructor(value, text) {
    this.#value = value;
    this.#text = text;
  }
  static read(one) {
    return typeof one === "object" && one !== null && #value in one ? [one.#value, one.#text] : undefined;
  }
}

// An end that is none: the engine goes, and the function is called again with the state.
class Again {
  #state;
  #rest;
  constructor(state, rest) {
    this.#state = state;
    this.#rest = rest;
  }
  static read(one) {
    return typeof one === "object" && one !== null && #state in one ? [one.#state, one.#rest] : undefined;
  }
}

// A failure that the caller reads as it is written, without a place in the script.
class Told extends AnyError {
  #detail;
  constructor(message, detail) {
    super(message);
    this.#detail = detail;
  }
  static read(one) {
    return #detail in one ? one.#detail : undefined;
  }
}

// What an error says, however it was made.
function describe(error) {
  try {
    if (typeof error !== "object" || error === null) return ["", `the script threw ${toText(error)}`, "", ""];
    const { name, message, stack, code } = error;
    const detail = Told.read(error);
    if (detail !== undefined) return ["Told", toText(message), "", typeof code === "string" ? wellFormed(code) : "", detail];
    return [toText(name ?? ""), toText(message ?? error), typeof stack === "string" ? wellFormed(stack) : "", typeof code === "string" ? wellFormed(code) : ""];
  } catch {
    return ["", "the script threw a value that cannot be read", "", ""];
  }
}

// `send(function, id, arguments)` gives a reason not to; function 0 is `sleep`.
export function open(names, send, note, finish) {
  const waiting = create(null);
  let last = 0;

  function request(number, values, Kind = AnyError) {
    const site = new Kind();
    return new APromise((resolve, reject) => {
      const id = ++last;
      waiting[id] = { __proto__: null, resolve, reject, site };
      const refusal = send(number, id, stringify(values, strict));
      if (refusal !== "") {
        delete waiting[id];
        throw new RangeError(refusal);
      }
    });
  }

  const host = create(null);
  let fetch;
  let number = 0;
  for (const [object, name] of parse(names)) {
    const own = ++number;
    if (object === "") {
      if (name === "fetch") fetch = (...values) => request(own, values, ATypeError);
      else host[name] = { [name]: (...values) => request(own, values) }[name];
      continue;
    }
    host[object] ??= create(null);
    host[object][name] = { [name]: (...values) => request(own, values) }[name];
  }
  for (const object in host) freeze(host[object]); // Functions too.

  host.sleep = (milliseconds) => {
    if (typeof milliseconds !== "number" || !(milliseconds >= 0)) throw new TypeError("sleep(milliseconds) takes a number");
    return request(0, milliseconds < 1e12 ? milliseconds : 1e12);
  };
  host.progress = (done, total, message) => {
    if (typeof done !== "number" || done - done !== 0) throw new TypeError("progress(done, total, message) takes a number first");
    note("", typeof message === "undefined" ? "" : toText(message), done, typeof total === "number" && total - total === 0 ? total : -1);
  };
  host.log = (value, level = "info") => {
    if (typeof level !== "string") throw new TypeError("log(value, level) takes the level as a string");
    if (!note(wellFormed(level), toText(value), 0, 0)) {
      throw new RangeError(`"${level}" is no level; there are debug, info, notice, warning, error, critical, alert, emergency`);
    }
  };
  host.answer = (value, text) => {
    if (typeof text !== "string") throw new TypeError("answer(value, text) takes the text as a string");
    return new Answer(value, wellFormed(text));
  };
  host.again = (state, options) => {
    const { inMs, key, version = null, progress } = options ?? {};
    const isText = (value) => value === undefined || typeof value === "string";
    const isVersion = version === null || (typeof version === "number" && version - version === 0);
    if (typeof inMs !== "number" || !(inMs >= 0) || !isText(key) || !isText(progress) || !isVersion) {
      throw new TypeError("again(state, {inMs, key, version, progress}) takes a number, two keys as strings, and a version");
    }
    return new Again(state, { __proto__: null, inMs: inMs < 1e12 ? inMs : 1e12, key, version, progress });
  };
  host.fail = (message, code, detail) => {
    const told = new Told(toText(message), detail === undefined ? "" : stringify(detail, strict));
    if (code !== undefined) defineProperty(told, "code", { value: toText(code), writable: true, enumerable: true, configurable: true });
    return told;
  };
  freeze(host);

  const line = (level) => (...values) => {
    let text = "";
    for (let at = 0; at < values.length; at++) text += at === 0 ? toText(values[at]) : ` ${toText(values[at])}`;
    note(level, text, 0, 0);
  };
  globalThis.console = freeze({
    debug: line("debug"), log: line("info"), info: line("info"), warn: line("warning"), error: line("error"),
  });

  async function start(loaded, module, args, entry, state) {
    try {
      await loaded;
      const main = module[entry];
      if (typeof main !== "function") {
        const missing = entry === "default" ? "`export default` a function" : `export a function \`${entry}\``;
        return finish("shape", "", `the script does not ${missing}`, "", "", "");
      }
      if (args === undefined) return finish("ok", "null", "", "", "", "");
      const given = await (state === undefined ? main(args, host) : main(args, host, state));
      const rest = Again.read(given);
      if (rest !== undefined) return finish("again", stringify(rest[0] ?? null, strict), stringify(rest[1]), "", "", "");
      const [value, text] = Answer.read(given) ?? [given, undefined];
      const json = value === undefined ? "null" : stringify(value, strict);
      return text === undefined ? finish("ok", json, "", "", "", "") : finish("answer", json, text, "", "", "");
    } catch (error) {
      // What the engine throws when there is no memory left for an error.
      if (error === null) return finish("memory", "", "", "", "", "");
      const [name, message, stack, code, detail] = describe(error);
      return finish(detail === undefined ? "error" : "told", name, message, stack, code, detail ?? "");
    }
  }

  function settle(id, failed, value, code) {
    const entry = waiting[id];
    if (entry === undefined) return;
    delete waiting[id];
    if (!failed) return entry.resolve(value);
    const { site } = entry;
    defineProperty(site, "message", { value, writable: true, configurable: true });
    if (code !== "") defineProperty(site, "code", { value: code, writable: true, enumerable: true, configurable: true });
    entry.reject(site);
  }

  return freeze({ __proto__: null, start, settle, fetch });
}
