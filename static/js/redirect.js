// The form that sends a message on: keys, closing, and notes that go when they are put right.
import { clearProblems } from "casilla/problems";

export function bind(form) {
  for (const other of document.querySelectorAll(`#composers > [id="${CSS.escape(form.id)}"]`)) if (other !== form) other.remove();
  form.addEventListener("input", () => clearProblems(form));
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-redirect-close]")) close(form, event);
    else if (event.target.closest("[data-redirect-copies]")) showCopies(form, event.target.closest("button"));
  });
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
    else if (event.key === "Escape") close(form, event);
  });
  requestAnimationFrame(() => form.querySelector("[data-behaviour~=recipients] input:not([hidden])")?.focus({ preventScroll: true }));
}

function close(form, event) {
  if (!document.getElementById("composers")) return;
  event.preventDefault();
  form.remove();
  document.querySelector("#reader #subject")?.focus({ preventScroll: true });
}

function showCopies(form, button) {
  for (const line of form.querySelectorAll("[data-copies]")) line.classList.remove("js-hidden");
  button.hidden = true;
  form.querySelector("[data-copies] input:not([hidden])")?.focus();
}
