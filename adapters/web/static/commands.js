// Commands, typed or from buttons, menus and forms, and the display of their results.
import { element, find, here, post, said, state } from "./page.js";
import { mine, toEnd } from "./posts.js";

const dialog = find("#dialog");
const panel = find("#panel");
let opener = null;

const whereOf = (node) => (state.thread && node?.closest("#thread") ? "thread" : "channel");

// Carry out a command; `source` is the element whose control was used.
export async function give(values, source, where) {
  const article = source?.closest("article");
  const from = article?.dataset.id || "";
  source?.setAttribute("aria-busy", "true");
  let result;
  try {
    const place = here(where || placeOf(source));
    result = await post("/local/command", { ...place, ...values, from });
  } catch (error) {
    show({ html: element("p", { textContent: error.message }).outerHTML }, source, where);
    return null;
  } finally {
    source?.removeAttribute("aria-busy");
  }
  if (result.kind === "form") openForm(result.html, source);
  else if (result.kind === "response") show(result, source, where);
  return result;
}

export const type = (typed, where) => give({ typed }, null, where);

function placeOf(source) {
  if (source?.closest("#panel, #dialog")) return panel.dataset.where || whereOf(null);
  return whereOf(source);
}

function show(result, source, where) {
  if (source?.id === "settings" || source?.closest("#panel")) {
    openPanel(result.html, source);
    return;
  }
  const place = where || placeOf(source);
  const note = source?.closest(".note");
  if (note && (result.replaces || result.settles)) {
    find(".block", note).innerHTML = result.html;
    return;
  }
  const box = mine(place);
  const label = element("span", { className: "quiet", textContent: said.onlyYou });
  const close = element("button", { type: "button", className: "small", textContent: said.dismiss });
  const made = element(
    "div",
    { className: "note", tabIndex: -1 },
    element("div", { className: "head" }, label, close),
    element("div", { className: "block", innerHTML: result.html }),
  );
  close.addEventListener("click", () => {
    made.remove();
    find(place === "thread" ? "#reply" : "#message").focus();
  });
  box.append(made);
  while (box.children.length > 10) box.firstChild.remove();
  toEnd(box.parentElement);
  made.focus({ preventScroll: true });
}

function openPanel(html, source) {
  if (panel.hidden) opener = source;
  if (source?.id === "settings") panel.dataset.where = "channel";
  panel.hidden = false;
  find("#panel-body").innerHTML = html;
  find("#panel-title").focus();
}

export function closePanel() {
  panel.hidden = true;
  opener?.focus();
}

function openForm(html, source) {
  dialog.innerHTML = html;
  const form = find("form", dialog);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitForm(form, source);
  });
  if (!dialog.open) dialog.showModal();
  find("textarea, select, input:not([type=hidden])", form)?.focus();
}

async function submitForm(form, source) {
  const data = new FormData(form);
  const values = { command: form.dataset.command };
  for (const name of new Set(data.keys())) values[name] = data.getAll(name);
  const wrong = find(".wrong", form);
  form.setAttribute("aria-busy", "true");
  try {
    const article = source?.closest("article");
    const place = here(placeOf(source));
    const result = await post("/local/command", {
      ...place,
      ...values,
      from: article?.dataset.id || "",
    });
    if (result.kind === "form") {
      openForm(result.html, source);
      return;
    }
    if (result.field) {
      refuse(form, result);
      return;
    }
    dialog.close();
    if (result.kind !== "response") return;
    if (source?.closest("#panel")) {
      await give({ line: "settings" }, find("#settings"));
      const note = element("div", { className: "block notice", innerHTML: result.html });
      find("#panel-body").prepend(note);
    } else {
      show(result, source);
    }
  } catch (error) {
    wrong.hidden = false;
    wrong.textContent = error.message;
  } finally {
    form.removeAttribute("aria-busy");
  }
}

function refuse(form, result) {
  for (const each of form.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  const wrong = find(".wrong", form);
  wrong.hidden = false;
  wrong.textContent = result.text;
  const input = find(`[name="field-${result.field}"]:not([type=hidden])`, form);
  input?.setAttribute("aria-invalid", "true");
  input?.focus();
}

async function act(name, article) {
  const message = article.dataset.id;
  const where = whereOf(article);
  try {
    if (name === "delete") {
      if (confirm(said.sureDelete)) await post("/local/delete", { ...here(where), message });
    } else if (name === "triage") {
      const result = await post("/local/triage", { ...here(where), message });
      if (result.kind === "response") show(result, article);
    } else {
      edit(article, message, where);
    }
  } catch (error) {
    show({ html: element("p", { textContent: error.message }).outerHTML }, article);
  }
}

async function edit(article, message, where) {
  const blocks = find(".blocks", article);
  if (find("textarea", article)) return;
  const response = await fetch(`/local/text/${message}?as=${state.me}`);
  const { text } = await response.json();
  const box = element("textarea", { value: text, rows: Math.min(12, text.split("\n").length + 1) });
  box.setAttribute("aria-label", said.edit);
  const save = element("button", { type: "submit", className: "primary small", textContent: said.save });
  const stop = element("button", { type: "button", className: "small", textContent: said.cancel });
  const wrong = element("p", { className: "wrong", hidden: true });
  wrong.setAttribute("role", "alert");
  const form = element("form", { className: "edit" }, box, save, stop, wrong);
  const close = () => {
    form.remove();
    blocks.hidden = false;
    find("summary", article)?.focus();
  };
  stop.addEventListener("click", close);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await post("/local/edit", { ...here(where), message, text: box.value });
      close();
    } catch (error) {
      wrong.hidden = false;
      wrong.textContent = error.message;
    }
  });
  blocks.hidden = true;
  blocks.after(form);
  box.focus();
}

async function rate(button) {
  const { rate: rating, turn } = button.dataset;
  try {
    const result = await post("/local/rate", { ...here("thread"), turn, rating });
    find("#status").textContent = result.text;
    for (const each of button.parentElement.children) {
      each.setAttribute("aria-pressed", String(each === button));
    }
  } catch (error) {
    find("#status").textContent = error.message;
  }
}

export function wire() {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const { line, rate: rating, action } = button.dataset;
    if (line) give({ line }, button);
    else if (rating) rate(button);
    else if (action) {
      button.closest("details").open = false;
      act(action, button.closest("article"));
    } else if ("close" in button.dataset) dialog.close();
    else if ("closePanel" in button.dataset) closePanel();
  });
  document.addEventListener("change", ({ target }) => {
    const { line, argument } = target.dataset;
    if (!line || !target.value) return;
    give({ line, argument, value: target.value }, target);
    target.value = "";
  });
  dialog.addEventListener("close", () => dialog.replaceChildren());
}

