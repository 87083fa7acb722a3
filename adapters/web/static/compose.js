// The message boxes: text, files (chosen, dropped or pasted), and sending with retries.
import { element, find, here, post, said } from "./page.js";
import { type } from "./commands.js";
import { wire as suggest } from "./suggest.js";

const chosen = new WeakMap();

const newId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
};

// Send a message, and retry until the server responds. The server recognises a message
// that it has already.
export async function send(where, text, files, waits = () => {}) {
  const values = { ...here(where), id: newId(), text };
  for (;;) {
    try {
      return await post("/local/messages", values, files);
    } catch (error) {
      if (!error.isOffline) throw error;
      waits();
      await connectedAgain();
    }
  }
}

function connectedAgain() {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 3_000);
    document.addEventListener(
      "connected",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

function tell(form, text) {
  const line = find(".wrong", form);
  line.hidden = !text;
  line.textContent = text;
}

function list(form) {
  const files = chosen.get(form);
  const box = find(".chosen", form);
  box.hidden = !files.length;
  box.replaceChildren(
    ...files.map((file, nth) => {
      const button = element("button", { type: "button", className: "small", textContent: "×" });
      button.setAttribute("aria-label", `${said.remove} ${file.name}`);
      button.addEventListener("click", () => {
        chosen.set(form, files.toSpliced(nth, 1));
        list(form);
        find("textarea", form).focus();
      });
      return element("li", {}, file.name, button);
    }),
  );
}

function add(form, files) {
  chosen.set(form, [...chosen.get(form), ...files]);
  list(form);
  find("textarea", form).focus();
}

function fit(box) {
  box.style.height = "";
  if (box.value.includes("\n") || box.scrollHeight > box.clientHeight + 2) {
    box.style.height = `${Math.min(box.scrollHeight + 2, innerHeight * 0.4)}px`;
  }
}

async function submit(form, open) {
  const box = find("textarea", form);
  const text = box.value.trim();
  const files = chosen.get(form);
  const { where } = form.dataset;
  if (!text && !files.length) return;
  tell(form, "");
  if (text.startsWith("/") && !files.length) {
    box.value = "";
    fit(box);
    await type(text, where);
    return;
  }
  form.setAttribute("aria-busy", "true");
  try {
    const pending = send(where, text, files, () => tell(form, said.unsent));
    box.value = "";
    chosen.set(form, []);
    list(form);
    fit(box);
    const made = await pending;
    tell(form, "");
    if (where === "channel") open(made.thread);
  } catch (error) {
    // Put the text back, so that nothing is lost.
    box.value = box.value ? `${text}\n${box.value}` : text;
    chosen.set(form, files);
    list(form);
    fit(box);
    tell(form, error.message);
  } finally {
    form.removeAttribute("aria-busy");
  }
}

export function wire(open) {
  for (const form of document.querySelectorAll("form.composer")) {
    chosen.set(form, []);
    suggest(form);
    const box = find("textarea", form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(form, open);
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit(form, open);
    });
    box.addEventListener("input", () => fit(box));
    box.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (!files.length) return;
      event.preventDefault();
      add(form, files);
    });
    const input = find("input[type=file]", form);
    input.addEventListener("change", () => {
      add(form, input.files);
      input.value = "";
    });
    const zone = form.parentElement;
    zone.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      zone.classList.add("dropping");
    });
    zone.addEventListener("dragleave", (event) => {
      if (!zone.contains(event.relatedTarget)) zone.classList.remove("dropping");
    });
    zone.addEventListener("drop", (event) => {
      zone.classList.remove("dropping");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      add(form, event.dataTransfer.files);
    });
  }
}

