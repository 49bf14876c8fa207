// The pages of jobs: all of them, and one with its progress and log. Both stay up to date while they are looked at.

import { get } from "./api.js";
import { address, badge, date, duration, el, facts, number, plural } from "./dom.js";

const PAGE_SIZE = 50;
const LOG_LINES = 500;
const LOOK_MS = 2000;
const FINAL = new Set(["SUCCEEDED", "FAILED", "KILLED"]);

export async function showJobs({ organization, signal, replace }) {
  document.title = "Jobs – Lake";
  const from = Number.parseInt(new URLSearchParams(location.search).get("from") ?? "0", 10) || 0;
  const path = `/api/organization/${organization}/jobs?limit=${PAGE_SIZE}&offset=${from}`;
  const page = await get(path, signal);
  const draw = (found) => list(found, from);
  follow(signal, replace, () => get(path, signal), draw, () => false);
  return draw(page);
}

export async function showJob({ organization, ids, signal, replace }) {
  const read = async () => {
    const [found, log] = await Promise.all([
      get(`/api/organization/${organization}/jobs?id=${encodeURIComponent(ids[0])}`, signal),
      get(`/api/v2/job/${ids[0]}/logs?limit=${LOG_LINES}`, signal),
    ]);
    return { job: found.items[0], log };
  };
  const now = await read();
  document.title = `${title(now.job)} – Lake`;
  follow(signal, replace, read, drawJob, ({ job }) => FINAL.has(job.status), now);
  requestAnimationFrame(() => document.querySelector(".log")?.scrollTo(0, Number.MAX_SAFE_INTEGER));
  return drawJob(now);
}

/** Read and draw again every few seconds, while the page is looked at, until it is left or nothing more will change. */
function follow(signal, replace, read, draw, isOver, now = null) {
  if (now && isOver(now)) return;
  const timer = setInterval(async () => {
    if (document.hidden) return;
    const found = await read().catch(() => null);
    if (signal.aborted || !found) return;
    const log = document.querySelector(".log");
    const wasAtEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 8;
    const place = log?.scrollTop ?? 0;
    replace(draw(found));
    const drawn = document.querySelector(".log");
    if (drawn) drawn.scrollTop = wasAtEnd ? drawn.scrollHeight : place;
    if (isOver(found)) clearInterval(timer);
  }, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

const title = (job) => (job.type === "IMPORT" ? "Import" : job.processing ?? "Processing");

function list(page, from) {
  const rows = page.items.map((job) => el("tr", {},
    el("td", {}, badge(job.status)),
    el("td", {}, el("a", { href: `/job/${job.id}` }, title(job))),
    el("td", {}, progress(job) ?? ""),
    el("td", {}, date(job.created_at)),
    el("td.right", {}, duration(job.started_at, FINAL.has(job.status) ? job.finished_at ?? job.started_at : null))));
  const last = from + page.items.length;
  return el("div", {},
    el("div.heading", {}, el("h1", {}, "Jobs"), el("span.count", {}, plural(page.count, "job", "jobs"))),
    rows.length ? el("table.jobs", {}, el("thead", {}, el("tr", {}, ["State", "What", "Progress", "Created", "Took"].map((name) => el("th", {}, name)))), el("tbody", {}, rows))
      : el("p.empty", {}, "No job was ever started here."),
    el("nav.pager", { "aria-label": "Pages" },
      from ? el("a.button", { href: address("/jobs", { from: Math.max(0, from - PAGE_SIZE) || null }) }, "Newer") : null,
      last < page.count ? el("a.button", { href: address("/jobs", { from: last }) }, "Older") : null));
}

function drawJob({ job, log }) {
  const works = job.processing_job ?? {};
  return el("article", {},
    el("nav.crumbs", {}, el("a", { href: "/jobs" }, "Jobs"), el("span", { "aria-hidden": "true" }, "/"), el("span", {}, job.id)),
    el("section.card", {},
      el("div.heading", {}, el("h1", {}, title(job)), badge(job.status)),
      job.error ? el("p.complaint", {}, job.error) : null,
      progress(job),
      facts([
        ["Datalake", el("a", { href: `/datalake/${job.datalake_id}` }, el("code", {}, job.datalake_id))],
        ["Created", date(job.created_at)],
        ["Started", date(job.started_at)],
        ["Ended", date(job.finished_at)],
        ["Took", duration(job.started_at, FINAL.has(job.status) ? job.finished_at ?? job.started_at : null)],
        ...Object.entries(works.parameters ?? {}).map(([name, value]) => [name, value]),
        ...counts(job),
      ])),
    failures(job),
    el("section.card", {},
      el("div.heading", {}, el("h2", {}, "Log"), el("span.count", {}, lines(log))),
      log.items.length ? el("pre.log", { tabindex: "0" }, log.items.map((line) => el("span", {}, line.line, "\n"))) : el("p.quiet", {}, "Nothing was said so far.")));
}

const lines = (log) => (log.count > log.items.length ? `the last ${number(log.items.length)} of ${number(log.count)} lines` : plural(log.count, "line", "lines"));

function counts(job) {
  return Object.entries(job.progress ?? {}).filter(([, value]) => typeof value === "number").map(([name, value]) => [name, number(value)]);
}

function failures(job) {
  const found = job.progress?.failures;
  if (!Array.isArray(found) || !found.length) return null;
  return el("section.card", {}, el("h2", {}, "What could not be done"),
    facts(found.map((each) => [each.object_name ?? "", each.reason ?? ""])));
}

function progress(job) {
  const { done, total } = job.progress ?? {};
  if (typeof done !== "number" || typeof total !== "number" || !total) return null;
  return el("span.progress", {}, el("progress", { value: done, max: total }), el("span.quiet", {}, `${number(done)} of ${number(total)}`));
}
