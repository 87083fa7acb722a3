// Reads answers to screen readers, sentence by sentence, each once.
import { find, said, state } from "./page.js";

const spoken = find("#spoken");
const END = /[.!?:](?=\s)|\n/g;
// How many characters of each growing answer were read.
const read = new Map();

// Return the text of the article, without its code buttons.
function words(article) {
  return find(".blocks", article).textContent.trimEnd();
}

// Start with the messages of an opened thread, which are not read aloud, except an
// answer that still grows.
export function start(isOpening) {
  if (isOpening) read.clear();
  for (const article of document.querySelectorAll("#posts article")) {
    if (isOpening && !article.hasAttribute("aria-busy")) {
      read.set(article.id, words(article).length);
    } else {
      hear(article);
    }
  }
}

export function hear(article) {
  if (article.dataset.author === state.me) return;
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
