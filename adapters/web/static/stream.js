// The stream of events: reconnects by itself, and reports when it is disconnected.
import { state } from "./page.js";

const NAMES = ["topics", "posts", "post", "grow", "gone"];
// How long the stream of a hidden tab is kept, in milliseconds: a browser allows six
// connections to one server.
const UNSEEN = 60_000;

let source = null;
let current = null;
let waiting = [];
let timer = 0;
let wasLost = false;

export function follow(handlers) {
  current = handlers;
  connect();
}

function connect() {
  source?.close();
  waiting = [];
  const query = new URLSearchParams({
    as: state.me,
    channel: state.channel,
    thread: state.thread,
  });
  const opened = new EventSource(`/local/events?${query}`);
  source = opened;
  for (const name of NAMES) {
    opened.addEventListener(name, ({ data }) => {
      if (source === opened) take(name, JSON.parse(data));
    });
  }
  opened.onopen = () => {
    if (source !== opened) return;
    current.found(wasLost);
    wasLost = false;
    document.dispatchEvent(new Event("connected"));
  };
  opened.onerror = () => {
    if (source !== opened) return;
    wasLost = true;
    current.lost();
    // A refusal ends an EventSource for good; an outage does not.
    if (opened.readyState === EventSource.CLOSED) setTimeout(retry, 2_000, opened);
  };
}

function retry(ended) {
  if (source === ended) connect();
}

// Events are shown together, once for each frame; in a hidden tab, at once.
function take(name, value) {
  waiting.push([name, value]);
  if (document.hidden) showAll();
  else if (waiting.length === 1) requestAnimationFrame(showAll);
}

function showAll() {
  const events = waiting;
  waiting = [];
  for (const [name, value] of events) current[name](value);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.hidden) {
    showAll();
    timer = setTimeout(() => {
      source?.close();
      source = null;
    }, UNSEEN);
  } else if (source === null && current) {
    connect();
  }
});
