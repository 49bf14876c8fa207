// Which page is shown: the address decides. Without a token, the one that asks for it.

import { ApiError, forgetToken, get, hasToken, isToken, keepToken } from "./api.js";
import { showData } from "./data.js";
import { showDatalake } from "./datalake.js";
import { el, go } from "./dom.js";
import { showJob, showJobs } from "./jobs.js";

const UUID = "([0-9a-fA-F-]{32,36})";
const PAGES = [
  [new RegExp("^/datalake/?$"), showDatalake],
  [new RegExp(`^/datalake/${UUID}/?$`), showDatalake],
  [new RegExp(`^/datalake/${UUID}/data/${UUID}/?$`), showData],
  [new RegExp("^/jobs/?$"), showJobs],
  [new RegExp(`^/job/${UUID}/?$`), showJob],
];

const main = document.getElementById("main");
let current = null;

async function show() {
  current?.abort();
  current = new AbortController();
  const { signal } = current;
  document.getElementById("nav").hidden = !hasToken();
  document.getElementById("sign-out").hidden = !hasToken();
  if (!hasToken()) return main.replaceChildren(tokenForm());
  try {
    const session = await get("/api/home/ping", signal);
    document.getElementById("who").textContent = session.username;
    const page = PAGES.find(([pattern]) => pattern.test(location.pathname));
    if (!page) throw new ApiError(404, "There is no such page.");
    const ids = page[0].exec(location.pathname).slice(1);
    const content = await page[1]({ organization: session.default_organization, ids, signal, replace });
    if (!signal.aborted) replace(content);
  } catch (error) {
    if (signal.aborted) return;
    if (error.status === 401) return signOut("The lake does not know this token.");
    document.title = "Lake";
    main.replaceChildren(el("section.card.problem", {}, el("h1", {}, "That did not work"), el("p", {}, error.message)));
  }
}

function replace(content) {
  main.replaceChildren(content);
}

function signOut(reason = null) {
  forgetToken();
  current?.abort();
  document.getElementById("who").textContent = "";
  document.getElementById("nav").hidden = document.getElementById("sign-out").hidden = true;
  main.replaceChildren(tokenForm(reason));
}

function tokenForm(reason = null) {
  document.title = "Lake";
  const input = el("input", { type: "password", name: "token", autocomplete: "off", required: true, autofocus: true });
  const problem = el("p.complaint", { role: "alert" }, reason ?? "");
  const submit = (event) => {
    event.preventDefault();
    const token = input.value.trim();
    if (!isToken(token)) return (problem.textContent = "A token has no blanks and no letters beyond ASCII.");
    keepToken(token);
    show();
  };
  return el("form.card.token", { onsubmit: submit },
    el("h1", {}, "API token"),
    el("p", {}, "Paste the token of this lake. It lies in the file ", el("code", {}, "token"),
      " of the lake's data folder, stays in this browser tab, and is forgotten with it."),
    el("label", {}, "API token", input), problem,
    el("button", { type: "submit" }, "Open the lake"));
}

document.getElementById("sign-out").addEventListener("click", () => signOut());
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  event.preventDefault();
  go(link.href);
  scrollTo(0, 0);
});
addEventListener("popstate", show);
show();
