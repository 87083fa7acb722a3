// The console: pages that refresh themselves, and the dialog that deletes a thread.

const live = document.getElementById("live");
const every = Number(live.dataset.every || 0) * 1000;

async function renew() {
  if (document.hidden || live.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (fresh) live.replaceChildren(...fresh.childNodes);
}

if (every) {
  // Ignored: the server may be restarting, and the next refresh tries again.
  setInterval(() => renew().catch(() => {}), every);
}

for (const button of document.querySelectorAll("[data-open]")) {
  const dialog = document.getElementById(button.dataset.open);
  button.addEventListener("click", () => dialog.showModal());
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
}

for (const button of document.querySelectorAll("[data-delete]")) {
  button.addEventListener("click", async () => {
    const wrong = button.closest("dialog").querySelector(".wrong");
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(button.dataset.delete, {
        method: "POST",
        headers: { "X-Threadkeep-Page": live.dataset.token, Accept: "application/json" },
      });
      if (answer.ok) {
        location.assign("/console/threads");
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      wrong.textContent = page.querySelector(".error p")?.textContent ?? page.body.textContent;
    } catch (error) {
      wrong.textContent = wrong.dataset.lost;
    }
    wrong.hidden = false;
    button.removeAttribute("aria-busy");
  });
}
