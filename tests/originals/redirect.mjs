// Loaded before an original server whose API's address is built in: sends its requests to the fake of that API.
const places = Object.entries(JSON.parse(process.env.REDIRECT));
const real = globalThis.fetch;
globalThis.fetch = (target, options) => {
    const url = String(target?.url ?? target);
    const found = places.find(([from]) => url.startsWith(from));
    return found ? real(found[1] + url.slice(found[0].length), options) : Promise.reject(new Error(`${url} is no part of the test`));
};
