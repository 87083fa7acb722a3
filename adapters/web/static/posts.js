// The messages of the open thread, as the server renders them.
import { app, element, find, said, state } from "./page.js";

const posts = find("#posts");
const byId = (id) => document.getElementById(`m-${id}`);

export const mine = (where) => find(`.mine[data-where=${where}]`);
export const near = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
export const toEnd = (box) => box.scrollTo({ top: box.scrollHeight });

// Changes of messages wait in `steps`, one block each, and a frame applies them for at
// most BUDGET milliseconds. So a long answer that arrives at once does not block the
// page.
const BUDGET = 8;
const scroll = find("#posts-scroll");
let steps = [];
let isRunning = false;
let toBottom = false;

function run() {
  const until = performance.now() + BUDGET;
  const bottom = toBottom || near(scroll);
  let nth = 0;
  while (nth < steps.length && (nth === 0 || performance.now() < until)) steps[nth++]();
  steps = steps.slice(nth);
  isRunning = steps.length > 0;
  if (bottom) toEnd(scroll);
  if (!isRunning) toBottom = false;
  else if (document.hidden) setTimeout(run);
  else requestAnimationFrame(run);
}

function step(work) {
  steps.push(work);
}

function start() {
  if (!isRunning) run();
}

// Show a message, or a change of one; then call `then` with its element.
export function show(found, then = () => {}) {
  plan(found, then);
  start();
}

function plan(found, then) {
  if (found.html !== undefined) step(() => shell(found));
  found.blocks.forEach((html, nth) => {
    step(() => setBlock(byId(found.id), found.from + nth, html));
  });
  step(() => {
    const article = byId(found.id);
    if (!article) return;
    complete(article, found);
    then(article);
  });
}

// Add an element for a message that is not shown yet.
function shell({ id, html }) {
  if (byId(id)) return;
  posts.append(element("template", { innerHTML: html }).content.firstElementChild);
}

function setBlock(article, nth, html) {
  if (!article) return;
  const box = find(".blocks", article);
  const block = box.children[nth] || box.appendChild(element("div", { className: "block", dir: "auto" }));
  if (block.source === html) return;
  block.innerHTML = html;
  block.source = html;
  for (const figure of block.querySelectorAll("figure.code")) dressCode(figure);
}

function complete(article, found) {
  const box = find(".blocks", article);
  while (box.children.length > found.from + found.blocks.length) box.lastChild.remove();
  if (found.head !== undefined) {
    find(".head", article).innerHTML = found.head;
    dressHead(article);
  }
  if (found.foot !== undefined) setFoot(find(".foot", article), found.foot);
  if (found.busy) article.setAttribute("aria-busy", "true");
  else article.removeAttribute("aria-busy");
  article.dataset.version = found.version;
}

export function remove(id) {
  step(() => byId(id)?.remove());
  start();
}

// Bring the thread up to date with the server, without touching messages that are; then
// call `then`.
export function setAll(found, { end = false, then = () => {} } = {}) {
  toBottom ||= end;
  const ids = new Set(found.map((each) => `m-${each.id}`));
  step(() => {
    for (const each of [...posts.children]) if (!ids.has(each.id)) each.remove();
  });
  for (const each of found) {
    if (byId(each.id)?.dataset.version !== each.version) plan(each, () => {});
  }
  step(() => {
    found.forEach((each, nth) => {
      const article = byId(each.id);
      // Move an element only if needed: a moved element loses the focus.
      if (posts.children[nth] !== article) posts.insertBefore(article, posts.children[nth]);
    });
    then();
  });
  start();
}

// Keep the focus on a button that is rendered again.
function setFoot(foot, html) {
  const focused = foot.contains(document.activeElement) && document.activeElement;
  foot.innerHTML = html;
  if (!focused) return;
  const same = [...foot.querySelectorAll("button")].find(
    (each) => each.textContent === focused.textContent,
  );
  // Never focus another button, which the same key would press.
  (same || find("#reply")).focus({ preventScroll: true });
}

// Add the controls that only this page has: the author's actions, and copying code.
function dressHead(article) {
  const head = find(".head", article);
  const { author } = article.dataset;
  const actions = [];
  if (author === state.me) actions.push(["edit", said.edit]);
  if (author) actions.push(["triage", said.triage]);
  if (author === state.me || app.dataset.admin) actions.push(["delete", said.delete]);
  if (!actions.length) return;
  const summary = element("summary", { textContent: "⋯", title: said.more });
  summary.setAttribute("aria-label", said.more);
  const list = element("div", { className: "menu-list" });
  for (const [name, label] of actions) {
    const button = element("button", { type: "button", textContent: label });
    button.dataset.action = name;
    list.append(button);
  }
  head.append(element("details", { className: "more" }, summary, list));
}

function dressCode(figure) {
  if (find("figcaption", figure)) return;
  const button = element("button", { type: "button", className: "small", textContent: said.copy });
  button.dataset.copy = "";
  figure.prepend(element("figcaption", {}, figure.dataset.language || "", button));
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (button) {
    await navigator.clipboard.writeText(find("pre", button.closest("figure")).textContent);
    button.textContent = said.copied;
    setTimeout(() => (button.textContent = said.copy), 2_000);
  }
  for (const each of document.querySelectorAll(".more[open]")) {
    if (!each.contains(target)) each.open = false;
  }
});

for (const each of posts.children) {
  dressHead(each);
  for (const figure of each.querySelectorAll("figure.code")) dressCode(figure);
}
