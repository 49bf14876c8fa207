// Elements and words. Text only ever becomes text: nothing here parses markup, so no name can be taken for it.

/**
 * Make an element.
 * @param {string} name "tag" or "tag.class.class"
 * @param {Object} properties attributes; "on..." are listeners, false and null are left out
 * @param {...(Node|string|number|null|Array)} children strings become text
 */
export function el(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** An address with arguments; those that are empty are left out. */
export function address(path, params) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    for (const each of [value].flat()) if (each !== "" && each !== null && each !== undefined) query.append(key, each);
  }
  return query.size ? `${path}?${query}` : path;
}

/** Go to another address of these pages without loading them again. */
export function go(url) {
  history.pushState(null, "", url);
  dispatchEvent(new Event("popstate"));
}

const NUMBER = new Intl.NumberFormat("en");
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const number = (value) => NUMBER.format(value);
export const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;
export const date = (iso) => (iso ? DATE.format(new Date(iso)) : "");

/** A number of bytes as people say it. */
export function bytes(size) {
  if (size === null || size === undefined) return "";
  let unit = "B";
  for (const larger of ["KiB", "MiB", "GiB", "TiB"]) {
    if (size < 1024) break;
    size /= 1024;
    unit = larger;
  }
  return `${unit === "B" || size >= 100 ? Math.round(size) : size.toFixed(1)} ${unit}`;
}

/** The time between two moments as people say it; without an end, until now. */
export function duration(start, end) {
  if (!start) return "";
  const seconds = Math.max(0, ((end ? new Date(end) : new Date()) - new Date(start)) / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** A state as a colored badge. */
export const badge = (state) => el("span.badge", { "data-state": state }, state);

/** Names and values side by side; what has no value is left out. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el("dl.facts", {}, shown.map(([name, value]) => [el("dt", {}, name), el("dd", {}, shown_value(value))]));
}

function shown_value(value) {
  if (value instanceof Node) return value;
  return typeof value === "object" ? el("code", {}, JSON.stringify(value)) : String(value);
}
