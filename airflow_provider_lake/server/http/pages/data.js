// The page of one data: its picture, and everything that is known about it.

import { get } from "./api.js";
import { address, badge, bytes, date, el, facts, number } from "./dom.js";

export async function showData({ ids, signal }) {
  const [datalake, data, projections] = await Promise.all([
    get(`/api/datalake/${ids[0]}`, signal),
    get(`/api/data/${ids[1]}`, signal),
    get(`/api/data/${ids[1]}/projections`, signal),
  ]);
  document.title = `${data.filename} – Lake`;
  const there = (filter) => address(`/datalake/${datalake.id}`, filter);
  return el("article", {},
    el("nav.crumbs", {}, el("a", { href: there({}) }, datalake.name), el("span", { "aria-hidden": "true" }, "/"), el("span", {}, data.filename)),
    el("div.detail", {},
      el("div.stage", {}, stage(data, projections.items)),
      el("aside", {},
        el("section.card", {}, el("h1.name", {}, data.filename), tags(data, there), about(data, there),
          el("a.button", { href: data.presigned_url, download: data.filename, target: "_blank", rel: "noopener" }, "Download")),
        section("Metadata", data.metadata), section("Custom metadata", data.custom_metadata),
        shown(projections.items))));
}

function stage(data, projections) {
  if (data.upload_status === "ERROR") return el("p.complaint", {}, data.upload_error ?? "The lake cannot process this file.");
  const thumbnail = projections.find((each) => each.name === "thumbnail")?.presigned_url;
  if (data.type === "VIDEO") return el("video", { src: data.presigned_url, poster: thumbnail, controls: true, preload: "metadata" });
  return el("img", { src: data.presigned_url, alt: data.filename });
}

function tags(data, there) {
  if (!data.tags.length) return el("p.quiet", {}, "no tags");
  return el("p.chips", {}, data.tags.map((tag) => el("a.chip", { href: there({ tag: tag.name }) }, tag.name)));
}

function about(data, there) {
  const source = data.data_source?.name;
  const of_source = source && there({ q: `data_source.name = ${JSON.stringify(source)}` });
  return facts([
    ["State", badge(data.upload_status)],
    ["Size", data.meta.width ? `${data.meta.width} × ${data.meta.height} pixels` : null],
    ["Length", data.meta.duration ? `${number(data.meta.duration)} s` : null],
    ["Pictures", data.meta.codec ? [data.meta.frame_rate && `${number(data.meta.frame_rate)} a second`, data.meta.codec].filter(Boolean).join(", ") : null],
    ["File", `${bytes(data.file_size)}, ${data.content_type}`],
    ["Source", source ? el("a", { href: of_source }, source) : null],
    ["Came in", date(data.created_at)],
    ["Object", el("code", {}, data.object_name)],
    ["Id", el("code", {}, data.id)],
  ]);
}

function section(title, values) {
  const pairs = Object.entries(values ?? {}).map(([name, value]) => [name, value]);
  return pairs.length ? el("section.card", {}, el("h2", {}, title), facts(pairs)) : null;
}

function shown(projections) {
  if (!projections.length) return null;
  return el("section.card", {}, el("h2", {}, "Projections"),
    el("ul.projections", {}, projections.map((each) => el("li", {},
      el("a", { href: each.presigned_url, target: "_blank", rel: "noopener" },
        /^image\/(jpeg|png|gif|webp|avif|bmp)$/.test(each.content_type) ? el("img", { src: each.presigned_url, alt: "", loading: "lazy" }) : el("span.blank", {}, "◻"),
        el("span.name", {}, each.name)),
      el("span.quiet", {}, [each.width ? `${each.width} × ${each.height}, ` : "", bytes(each.file_size)].join(""))))));
}
