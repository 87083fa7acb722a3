// The local workspace: follows one channel and one thread, and wires the parts together.
import { follow } from "./stream.js";
import { show, remove, setAll, mine, near, toEnd } from "./posts.js";
import { wire as wireComposers, send } from "./compose.js";
import { wire as wireCommands, closePanel } from "./commands.js";
import { hear, finish, start } from "./speak.js";
import { app, said, state, find } from "./page.js";

const list = find("#list");
const posts = find("#posts-scroll");

function status(text) {
  find("#status").textContent = text;
}

const handlers = {
  topics(html) {
    const bottom = near(list);
    find("#topics").innerHTML = html;
    if (bottom) toEnd(list);
  },
  posts(found) {
    if (!state.thread) return;
    const isOpening = state.opening;
    state.opening = false;
    setAll(found, { end: isOpening, then: () => start(isOpening) });
  },
  post: (found) => show(found, hear),
  grow(change) {
    show(change, (article) => {
      hear(article);
      if (!change.busy) finish(article);
    });
  },
  gone: ({ id }) => remove(id),
  lost: () => status(said.reconnecting),
  found: (again) => status(again ? said.connected : ""),
};

// Open a thread, or none, without loading the page again.
export function open(thread, { push = true } = {}) {
  if (thread === state.thread) return;
  state.thread = thread;
  state.opening = true;
  app.dataset.thread = thread;
  app.classList.toggle("with-thread", Boolean(thread));
  find("#thread").hidden = !thread;
  setAll([]);
  mine("thread").replaceChildren();
  for (const link of document.querySelectorAll("#topics a")) {
    if (link.pathname === address(thread)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (push) history.pushState({ thread }, "", address(thread));
  follow(handlers);
  find(thread ? "#reply" : "#message").focus({ preventScroll: true });
}

function address(thread) {
  return thread ? `/c/${state.channel}/t/${thread}` : `/c/${state.channel}`;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#topics a, #close");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  open(link.id === "close" ? "" : link.pathname.split("/t/")[1]);
});

addEventListener("popstate", () => {
  open(location.pathname.split("/t/")[1] || "", { push: false });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || find("#dialog").open) return;
  if (!find("#panel").hidden) closePanel();
  else if (state.thread && !event.target.closest("textarea")?.value) open("");
});

find("#speaker").addEventListener("change", (event) => {
  location.href = `/c/${state.channel}?as=${event.target.value}`;
});

find("#menu").addEventListener("click", (event) => {
  const isOpen = find("#side").classList.toggle("open");
  event.target.setAttribute("aria-expanded", String(isOpen));
});

document.addEventListener("click", (event) => {
  const example = event.target.closest("[data-example]");
  if (!example) return;
  const direct = state.channel.startsWith("D");
  const text = example.dataset.example;
  send("channel", direct ? text : `@${said.claude} ${text}`, []).then((made) => {
    if (made) open(made.thread);
  });
});

wireComposers(open);
wireCommands();
follow(handlers);
toEnd(posts);
if (list.scrollHeight > list.clientHeight && !find(".welcome")) toEnd(list);
if (!state.thread) find("#message").focus({ preventScroll: true });
