// Shows the images and PDFs of a message in place, one after the other; every one stays a link of its own.
export function start() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-preview]");
    const dialog = document.querySelector("dialog[data-behaviour~=preview]");
    if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    dialog.showModal();
    show(dialog, link);
  });
}

export function bind(dialog) {
  dialog.addEventListener("click", (event) => {
    const step = event.target.closest("[data-preview-step]")?.dataset.previewStep;
    if (step) turn(dialog, Number(step));
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) turn(dialog, document.dir === "rtl" ? -step : step);
  });
  dialog.addEventListener("close", () => dialog.querySelector("[data-preview-place]").replaceChildren());
}

const links = () => [...document.querySelectorAll("#reader a[data-preview]")];

function turn(dialog, step) {
  const all = links();
  const at = all.findIndex((link) => link.href === dialog.dataset.shown);
  const next = all[at + step];
  if (next) show(dialog, next);
}

function show(dialog, link) {
  const shown = document.createElement(link.dataset.preview === "pdf" ? "iframe" : "img");
  const name = link.textContent.trim();
  shown.src = link.href;
  shown[shown.localName === "img" ? "alt" : "title"] = name;
  dialog.dataset.shown = link.href;
  const { activeElement } = document;
  dialog.querySelector("[data-preview-place]").replaceChildren(shown);
  const title = dialog.querySelector("[data-preview-name]");
  if (title) title.textContent = name;
  const download = dialog.querySelector("[data-preview-download]");
  if (download) download.href = link.href.replace(/\?inline=1$/, "");
  const all = links();
  const at = all.indexOf(link);
  for (const button of dialog.querySelectorAll("[data-preview-step]")) {
    button.hidden = all.length < 2;
    button.disabled = !all[at + Number(button.dataset.previewStep)];
  }
  if (activeElement?.disabled || !dialog.contains(activeElement)) dialog.focus(); // keys go on
}
