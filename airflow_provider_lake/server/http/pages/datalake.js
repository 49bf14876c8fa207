// The page of a datalake: its data as a grid, filtered by the tags and the query of the address.

import { get } from "./api.js";
import { address, badge, bytes, el, go, number, plural } from "./dom.js";

const PAGE_SIZE = 60;
const MAX_TAGS = 1000;
// An image without thumbnail is shown itself, if it is small.
const MAX_SHOWN_BYTES = 2 << 20;
const ORDERS = [["", "in order of arrival"], ["-created_at", "newest first"], ["filename", "by name"]];

export async function showDatalake({ organization, ids, signal }) {
  const of_id = ids[0] ? `?id=${encodeURIComponent(ids[0])}` : "";
  const datalake = await get(`/api/organization/${organization}/datalake${of_id}`, signal);
  const wanted = wantedOf(new URLSearchParams(location.search));
  const listed = address(`/api/datalake/${datalake.id}/datas`, {
    limit: PAGE_SIZE, q: queryOf(wanted), order_by: wanted.order, cursor: wanted.cursor,
    offset: wanted.order && wanted.from ? wanted.from : null,
  });
  const [tags, page] = await Promise.all([
    get(`/api/datalake/${datalake.id}/tags?limit=${MAX_TAGS}&order_by=name`, signal),
    get(listed, signal).catch((error) => (error.status === 400 || error.status === 422 ? { problem: error.message } : Promise.reject(error))),
  ]);
  document.title = `${datalake.name} – Lake`;
  const head = [heading(datalake, page), filters(datalake, wanted, tags.items)];
  if (page.problem) return el("div", {}, head, el("p.complaint", { role: "alert" }, page.problem));
  if (!page.items.length) return el("div", {}, head, nothing(wanted));
  return el("div", {}, head, await grid(datalake, page.items, signal), pager(datalake, wanted, page));
}

function wantedOf(params) {
  return {
    tags: params.getAll("tag"), q: params.get("q") ?? "", order: params.get("order") ?? "",
    cursor: params.get("cursor"), from: Number.parseInt(params.get("from") ?? "0", 10) || 0,
  };
}

/** The query in the lake's language that says what the address wants. */
function queryOf({ tags, q }) {
  const tagged = tags.length ? `tags.name in (${tags.map((tag) => JSON.stringify(tag)).join(", ")})` : "";
  return q.trim() && tagged ? `(${q}) and ${tagged}` : q.trim() || tagged;
}

const there = (datalake, wanted) =>
  address(`/datalake/${datalake.id}`, { tag: wanted.tags, q: wanted.q, order: wanted.order, cursor: wanted.cursor, from: wanted.from || null });
const first = (wanted, changes) => ({ ...wanted, cursor: null, from: 0, ...changes });

function heading(datalake, page) {
  const count = page.problem ? null : el("span.count", {}, plural(page.count, "data item", "data items"));
  return el("div.heading", {}, el("h1", {}, datalake.name), count);
}

function filters(datalake, wanted, tags) {
  const query = el("input.query", {
    name: "q", type: "search", value: wanted.q, spellcheck: "false", autocomplete: "off", "aria-label": "Query",
    placeholder: 'a query, such as  filename ~ "gate" and meta.width >= 1920',
  });
  const submit = (event) => {
    event.preventDefault();
    go(there(datalake, first(wanted, { q: query.value.trim() })));
  };
  const others = tags.filter((tag) => !wanted.tags.includes(tag.name));
  const add = el("select", {
    name: "tag", "aria-label": "Add a tag", disabled: !others.length,
    onchange: (event) => go(there(datalake, first(wanted, { tags: [...wanted.tags, event.target.value] }))),
  }, el("option", { value: "" }, "add a tag…"), others.map((tag) => el("option", { value: tag.name }, tag.name)));
  const order = el("select", {
    name: "order", "aria-label": "Order", onchange: (event) => go(there(datalake, first(wanted, { order: event.target.value }))),
  }, ORDERS.map(([value, words]) => el("option", { value, selected: value === wanted.order }, words)));
  const chips = wanted.tags.map((tag) => el("a.chip", {
    href: there(datalake, first(wanted, { tags: wanted.tags.filter((other) => other !== tag) })), title: `Without the tag ${tag}`,
  }, tag, el("span.cross", { "aria-hidden": "true" }, "×")));
  return el("form.filters", { onsubmit: submit }, query, el("button", { type: "submit" }, "Find"), add, order,
    chips.length ? el("div.chips", {}, el("span.quiet", {}, chips.length > 1 ? "any of" : "tag"), chips) : null);
}

function nothing(wanted) {
  const isFiltered = wanted.tags.length || wanted.q;
  return el("p.empty", {}, isFiltered ? "Nothing in this datalake matches." : "This datalake is empty.");
}

async function grid(datalake, items, signal) {
  const thumbnails = await get(address(`/api/datalake/${datalake.id}/thumbnails`, { id: items.map((data) => data.id) }), signal);
  return el("ul.grid", {}, items.map((data) => tile(datalake, data, thumbnails.items[data.id])));
}

function tile(datalake, data, thumbnail) {
  const isSmall = data.type === "IMAGE" && data.upload_status === "DONE" && data.file_size <= MAX_SHOWN_BYTES;
  const source = thumbnail ?? (isSmall ? data.presigned_url : null);
  const picture = source
    ? el("img", { src: source, alt: "", loading: "lazy", decoding: "async" })
    : el("span.blank", { "aria-hidden": "true" }, data.type === "VIDEO" ? "▶" : "◻");
  const size = data.meta.width ? `${data.meta.width} × ${data.meta.height}` : bytes(data.file_size);
  return el("li", {}, el("a.tile", { href: `/datalake/${datalake.id}/data/${data.id}`, title: data.filename },
    el("span.frame", {}, picture, data.upload_status === "DONE" ? null : badge(data.upload_status)),
    el("span.name", {}, data.filename), el("span.size", {}, size)));
}

function pager(datalake, wanted, page) {
  const last = wanted.from + page.items.length;
  const isFirst = !wanted.from && !wanted.cursor;
  const hasNext = wanted.order ? last < page.count : page.next_cursor !== null;
  const next = there(datalake, { ...wanted, cursor: wanted.order ? null : page.next_cursor, from: last });
  return el("nav.pager", { "aria-label": "Pages" },
    el("span.quiet", {}, `${number(wanted.from + 1)} to ${number(last)} of ${number(page.count)}`),
    isFirst ? null : el("a.button", { href: there(datalake, first(wanted, {})) }, "First page"),
    hasNext ? el("a.button", { href: next, rel: "next" }, "Next page") : null);
}
