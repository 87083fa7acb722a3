// What all scripts of the page share: its state, its texts, and requests to the server.
export const find = (selector, within = document) => within.querySelector(selector);
export const app = find("#app");
export const said = JSON.parse(find("#said").textContent);

export const state = {
  channel: app.dataset.channel,
  thread: app.dataset.thread,
  me: app.dataset.me,
  opening: Boolean(app.dataset.thread),
};

export function element(name, values = {}, ...children) {
  const made = Object.assign(document.createElement(name), values);
  made.append(...children);
  return made;
}

// Return the response as an object. Throws an Error with a sentence if the request was
// refused, and one marked `isOffline` if the server did not respond.
export async function post(path, values, files = []) {
  const body = new FormData();
  for (const [name, value] of Object.entries(values)) {
    for (const each of [value].flat()) body.append(name, each);
  }
  for (const file of files) body.append("file", file, file.name || "file");
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      body,
      headers: { "X-Threadkeep-Page": app.dataset.token },
    });
  } catch {
    throw Object.assign(new Error(said.failed), { isOffline: true });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message || said.failed);
  return answer;
}

export const here = (where) => ({
  as: state.me,
  channel: state.channel,
  thread: where === "channel" ? "" : state.thread,
});
