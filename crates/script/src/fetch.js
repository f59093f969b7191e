// `fetch` as the WHATWG says, in the part of it that scripts need. It is loaded only for scripts that may fetch; the host does
// the request, and gives the body as a text, and in Base64 too when it is no UTF-8.

const { stringify, parse } = JSON;
const { defineProperty, freeze } = Object;
const AList = Array;
const Bytes = Uint8Array;
const Buffer = ArrayBuffer;
const bound = Function.prototype.call;
const isView = ArrayBuffer.isView;
const lower = bound.bind(String.prototype.toLowerCase);
const trim = bound.bind(String.prototype.trim);
const codeAt = bound.bind(String.prototype.charCodeAt);
const pointAt = bound.bind(String.prototype.codePointAt);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fits = bound.bind(RegExp.prototype.test);

function utf8(text) {
  const out = [];
  for (let at = 0; at < text.length; at++) {
    const point = pointAt(text, at);
    if (point < 0x80) out[out.length] = point;
    else if (point < 0x800) { out[out.length] = 0xc0 | (point >> 6); out[out.length] = 0x80 | (point & 63); }
    else if (point < 0x10000) {
      out[out.length] = 0xe0 | (point >> 12); out[out.length] = 0x80 | ((point >> 6) & 63); out[out.length] = 0x80 | (point & 63);
    } else {
      out[out.length] = 0xf0 | (point >> 18); out[out.length] = 0x80 | ((point >> 12) & 63);
      out[out.length] = 0x80 | ((point >> 6) & 63); out[out.length] = 0x80 | (point & 63);
      at++;
    }
  }
  return new Bytes(out);
}

function decode(base64) {
  const padding = base64.length > 0 && base64[base64.length - 1] === "=" ? (base64[base64.length - 2] === "=" ? 2 : 1) : 0;
  const out = new Bytes((base64.length / 4) * 3 - padding);
  const value = (at) => {
    const code = codeAt(base64, at);
    if (code >= 97) return code - 71;
    if (code >= 65) return code - 65;
    if (code === 61) return 0;
    return code >= 48 ? code + 4 : code === 43 ? 62 : 63;
  };
  for (let at = 0, to = 0; at < base64.length; at += 4) {
    const bits = (value(at) << 18) | (value(at + 1) << 12) | (value(at + 2) << 6) | value(at + 3);
    out[to++] = bits >> 16;
    out[to++] = bits >> 8;
    out[to++] = bits;
  }
  return out;
}

function encode(bytes) {
  let out = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    out += ALPHABET[bits >> 18] + ALPHABET[(bits >> 12) & 63];
    out += (at + 1 < bytes.length ? ALPHABET[(bits >> 6) & 63] : "=") + (at + 2 < bytes.length ? ALPHABET[bits & 63] : "=");
  }
  return out;
}

// The headers of an answer. Names are in lower case; values of one name are joined, but for `set-cookie`.
class Headers {
  #list;
  constructor(list) { this.#list = list; }
  get(name) {
    const key = lower(`${name}`);
    let out = null;
    for (let at = 0; at < this.#list.length; at++) {
      if (this.#list[at][0] === key) out = out === null ? this.#list[at][1] : `${out}, ${this.#list[at][1]}`;
    }
    return out;
  }
  has(name) { return this.get(name) !== null; }
  getSetCookie() { return this.#list.filter(([name]) => name === "set-cookie").map(([, value]) => value); }
  *entries() {
    const seen = {};
    for (const name of this.#list.map(([name]) => name).sort()) {
      if (name === "set-cookie") yield [name, this.getSetCookie()[seen[name] ?? 0]];
      else if (seen[name] === undefined) yield [name, this.get(name)];
      seen[name] = (seen[name] ?? 0) + 1;
    }
  }
  *keys() { for (const [name] of this.entries()) yield name; }
  *values() { for (const [, value] of this.entries()) yield value; }
  forEach(each, self) { for (const [name, value] of this.entries()) each.call(self, value, name, this); }
  [Symbol.iterator]() { return this.entries(); }
  toJSON() { return Object.fromEntries(this.entries()); }
}

class Response {
  #answer;
  #used = false;
  constructor(answer) {
    this.#answer = answer;
    const { status, statusText, url, redirected } = answer;
    const headers = new Headers(answer.headers);
    for (const [key, value] of [
      ["status", status], ["ok", status >= 200 && status < 300], ["statusText", statusText], ["url", url],
      ["redirected", redirected], ["type", "basic"], ["headers", headers],
    ]) defineProperty(this, key, { value, enumerable: true });
  }
  get bodyUsed() { return this.#used; }
  #take() {
    if (this.#used) throw new TypeError("Body has already been used. It can only be used once; use clone() before reading it.");
    this.#used = true;
    return this.#answer;
  }
  async text() { return this.#take().text; }
  async json() { return parse(this.#take().text); }
  async bytes() {
    const { text, base64 } = this.#take();
    return base64 === undefined ? utf8(text) : decode(base64);
  }
  async arrayBuffer() { return (await this.bytes()).buffer; }
  clone() {
    if (this.#used) throw new TypeError("a response whose body was used cannot be cloned");
    return new Response(this.#answer);
  }
}

function pairs(headers) {
  if (headers === undefined || headers === null) return [];
  if (typeof headers !== "object") throw new TypeError("the headers of a request are an object, or a list of pairs");
  const list = typeof headers[Symbol.iterator] === "function" ? [...headers] : Object.entries(headers);
  return list.map((pair) => {
    if (!AList.isArray(pair) || pair.length !== 2) throw new TypeError("each header is a name and a value");
    const [name, value] = [`${pair[0]}`, trim(`${pair[1]}`)];
    if (!fits(NAME, name)) throw new TypeError(`${stringify(name)} is no name of a header`);
    return [name, value];
  });
}

function bodyOf(body) {
  if (body === undefined || body === null) return {};
  if (typeof body === "string") return { text: body };
  if (body instanceof Buffer) return { base64: encode(new Bytes(body)) };
  if (isView(body)) return { base64: encode(new Bytes(body.buffer, body.byteOffset, body.byteLength)) };
  throw new TypeError("the body of a request is a text, an ArrayBuffer or a typed array; write JSON.stringify(value) for JSON");
}

const KNOWN = ["method", "headers", "body", "redirect", "signal", "cache", "credentials", "mode", "keepalive", "referrer", "referrerPolicy", "integrity", "priority", "window", "duplex", "cf"];
const SAFE = ["get", "head", "post", "put", "delete", "options"];

export function install(send) {
  const fetch = async (input, init = {}) => {
    if (input === undefined) throw new TypeError("fetch needs a URL");
    if (init === null || typeof init !== "object") throw new TypeError("the second argument of fetch is an object");
    for (const key in init) {
      if (!KNOWN.includes(key)) throw new TypeError(`fetch has no setting ${stringify(key)}`);
    }
    const { redirect = "follow" } = init;
    if (!["follow", "manual", "error"].includes(redirect)) throw new TypeError(`${stringify(redirect)} is no way to treat redirects; there are follow, manual, error`);
    const written = `${init.method ?? "GET"}`;
    const method = SAFE.includes(lower(written)) ? written.toUpperCase() : written;
    const body = bodyOf(init.body);
    if (init.body !== undefined && init.body !== null && (method === "GET" || method === "HEAD")) {
      throw new TypeError(`a request with ${method} has no body`);
    }
    return new Response(await send(`${input}`, { method, headers: pairs(init.headers), redirect, ...body }));
  };
  defineProperty(globalThis, "fetch", { value: fetch, writable: true, configurable: true, enumerable: true });
  freeze(Headers.prototype);
  freeze(Response.prototype);
}
