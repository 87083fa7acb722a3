// The messages of the open thread, as the server draws them.
import { app, element, find, said, state } from "./page.js";

const posts = find("#posts");
const byId = (id) => document.getElementById(`m-${id}`);

export const mine = (where) => find(`.mine[data-where=${where}]`);
export const near = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
export const toEnd = (box) => box.scrollTo({ top: box.scrollHeight });

// Show a whole message or a change of one; return its element.
export function show(found) {
  if (found.html !== undefined) return whole(found);
  const article = byId(found.id);
  if (!article) return null;
  const box = find(".blocks", article);
  found.blocks.forEach((html, nth) => {
    const block = box.children[found.from + nth];
    if (block) block.innerHTML = html;
    else box.append(element("div", { className: "block", innerHTML: html }));
  });
  while (box.children.length > found.from + found.blocks.length) box.lastChild.remove();
  if (found.head !== undefined) find(".head", article).innerHTML = found.head;
  if (found.foot !== undefined) setFoot(find(".foot", article), found.foot);
  if (found.busy) article.setAttribute("aria-busy", "true");
  else article.removeAttribute("aria-busy");
  article.dataset.version = found.version;
  dress(article, found.from);
  return article;
}

export function remove(id) {
  byId(id)?.remove();
}

// Let the thread read as the server has it; leave alone what does already.
export function setAll(found) {
  const ids = new Set(found.map((each) => `m-${each.id}`));
  for (const each of [...posts.children]) if (!ids.has(each.id)) each.remove();
  found.forEach((each, nth) => {
    const article = byId(each.id);
    const shown = article?.dataset.version === each.version ? article : whole(each);
    if (posts.children[nth] !== shown) posts.insertBefore(shown, posts.children[nth] || null);
    dress(shown, 0);
  });
}

function whole({ id, html }) {
  const made = element("template", { innerHTML: html }).content.firstElementChild;
  const article = byId(id);
  if (article) article.replaceWith(made);
  else posts.append(made);
  dress(made, 0);
  return made;
}

// Keep the focus on a button that is drawn again.
function setFoot(foot, html) {
  const focused = foot.contains(document.activeElement) && document.activeElement;
  foot.innerHTML = html;
  if (!focused) return;
  const same = [...foot.querySelectorAll("button")].find(
    (each) => each.textContent === focused.textContent,
  );
  // Never to another button, which the same key would press.
  (same || find("#reply")).focus({ preventScroll: true });
}

// Add what only this page offers: copying code, and actions of the author.
export function dress(article, from = 0) {
  const blocks = [...article.querySelectorAll(":scope > .blocks > .block")].slice(from);
  for (const block of blocks) {
    for (const figure of block.querySelectorAll("figure.code")) dressCode(figure);
  }
  const head = find(".head", article);
  if (find(".more", head)) return;
  const actions = [];
  const { author } = article.dataset;
  if (author === state.me) actions.push(["edit", said.edit]);
  if (author) actions.push(["triage", said.triage]);
  if (author === state.me || app.dataset.admin) actions.push(["delete", said.delete]);
  if (!actions.length) return;
  const summary = element("summary", { textContent: "⋯", title: said.more });
  summary.setAttribute("aria-label", said.more);
  const menu = element("details", { className: "more" }, summary);
  const list = element("div", { className: "menu-list" });
  for (const [name, label] of actions) {
    const button = element("button", { type: "button", textContent: label });
    button.dataset.action = name;
    list.append(button);
  }
  menu.append(list);
  head.append(menu);
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

for (const each of posts.children) dress(each);
