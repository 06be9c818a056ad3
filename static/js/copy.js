// Copies the text of the element that data-copy names, or the button's data-copy-text; data-copied is said for a moment.
const SHOWN_MS = 2000;

export function bind(button) {
  button.addEventListener("click", async () => {
    const text = button.dataset.copyText ?? document.getElementById(button.dataset.copy)?.textContent ?? "";
    await navigator.clipboard.writeText(text);
    button.dataset.done = "";
    setTimeout(() => { delete button.dataset.done; }, SHOWN_MS);
    const label = button.querySelector("[data-copy-label]") ?? button;
    if (!button.dataset.copied || label.textContent === button.dataset.copied) return;
    const before = label.textContent;
    label.textContent = button.dataset.copied;
    setTimeout(() => { label.textContent = before; }, SHOWN_MS);
  });
}
