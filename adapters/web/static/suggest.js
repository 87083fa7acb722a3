// Suggestions while a message is typed: commands after a "/", people after an "@".
import { element, find, said } from "./page.js";

const MOST = 8;
const people = [said.claude, ...[...find("#speaker").options].map((each) => each.dataset.name)];
let commands = null;

async function known() {
  commands ??= fetch("/local/commands")
    .then((response) => response.json())
    .catch(() => []);
  return commands;
}

// Return the completions of the word before the caret, as [text, about, start].
async function matches(box) {
  const before = box.value.slice(0, box.selectionStart);
  const name = /(?:^|\s)@([A-Za-z]*)$/.exec(before);
  if (name) {
    const start = before.length - name[1].length - 1;
    return people
      .filter((each) => each.toLowerCase().startsWith(name[1].toLowerCase()))
      .map((each) => [`@${each} `, "", start]);
  }
  const command = /^\/(?:claude )?([a-z ]*)$/i.exec(before);
  if (!command) return [];
  const start = before.length - command[1].length;
  return (await known())
    .filter((each) => each.name.startsWith(command[1].toLowerCase()))
    .map((each) => [each.name, each.summary, start]);
}

export function wire(form) {
  const box = find("textarea", form);
  const list = element("ul", { className: "suggestions", id: `${box.id}-list`, hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", said.suggestions);
  form.append(list);
  box.setAttribute("aria-autocomplete", "list");
  let shown = [];
  let chosen = 0;

  function draw() {
    list.hidden = !shown.length;
    list.replaceChildren(
      ...shown.map(([text, about], nth) => {
        const option = element("li", { id: `${list.id}-${nth}` }, element("b", {}, text.trim()));
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", String(nth === chosen));
        if (about) option.append(element("span", { className: "quiet" }, about));
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(nth);
        });
        return option;
      }),
    );
    if (shown.length) {
      box.setAttribute("aria-controls", list.id);
      box.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
    } else {
      box.removeAttribute("aria-controls");
      box.removeAttribute("aria-activedescendant");
    }
  }

  function close() {
    shown = [];
    draw();
  }

  function take(nth) {
    const [text, , start] = shown[nth];
    box.setRangeText(text, start, box.selectionStart, "end");
    close();
    box.focus();
  }

  box.addEventListener("input", async () => {
    const before = box.value;
    const found = await matches(box);
    if (box.value !== before) return;
    shown = found.slice(0, MOST);
    // A complete word needs no suggestion, and Enter sends the message.
    if (shown.length === 1 && before.endsWith(shown[0][0].trim())) shown = [];
    chosen = 0;
    draw();
  });
  box.addEventListener("blur", close);
  // Handle keys before the box does, which would send the message.
  box.addEventListener(
    "keydown",
    (event) => {
      if (!shown.length) return;
      const { key } = event;
      if (key === "ArrowDown" || key === "ArrowUp") {
        chosen = (chosen + (key === "ArrowDown" ? 1 : shown.length - 1)) % shown.length;
        draw();
      } else if (key === "Tab" || (key === "Enter" && !event.shiftKey)) {
        take(chosen);
      } else if (key === "Escape") {
        close();
      } else {
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}
