// Reads answers aloud, for who uses a screen reader: sentence by sentence, once each.
import { find, said } from "./page.js";

const spoken = find("#spoken");
const END = /[.!?:](?=\s)|\n/g;
// How much of each growing answer was read.
const read = new Map();

// What the article says now, without its code buttons.
function words(article) {
  return find(".blocks", article).textContent;
}

export function quiet() {
  read.clear();
  for (const article of document.querySelectorAll("#posts article")) {
    read.set(article.id, words(article).length);
  }
}

export function hear(article) {
  if (find(".thinking", article)) {
    read.set(article.id, 0);
    return;
  }
  const text = words(article);
  const from = read.get(article.id) ?? 0;
  let end = from;
  END.lastIndex = from;
  for (let found; (found = END.exec(text)); ) end = END.lastIndex;
  if (!article.hasAttribute("aria-busy")) end = text.length;
  if (end > from) say(text.slice(from, end));
  read.set(article.id, Math.max(from, end));
}

export function finish(article) {
  if (article.classList.contains("bot")) say(said.done);
}

function say(text) {
  const trimmed = text.replace(/\s+/g, " ").trim();
  if (!trimmed) return;
  const line = document.createElement("p");
  line.textContent = trimmed;
  spoken.append(line);
  while (spoken.children.length > 20) spoken.firstChild.remove();
}
