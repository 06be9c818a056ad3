// A file on its way tells how far it is; then the page says how it is taken in, or what is wrong with it.
const GOING = [200, 422];

export function bind(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.hasAttribute("aria-busy")) return;
    const sending = new XMLHttpRequest();
    sending.upload.addEventListener("progress", ({ loaded, total }) => show(form, total ? (100 * loaded) / total : 0));
    sending.addEventListener("load", () => arrived(form, sending));
    sending.addEventListener("error", () => broke(form));
    sending.open("POST", form.action);
    sending.responseType = "document";
    sending.send(new FormData(form));
    tell(form, true);
  });
}

function show(form, percent) {
  const bar = form.querySelector(".progress");
  bar.style.setProperty("--v", percent);
  bar.setAttribute("aria-valuenow", Math.floor(percent));
}

function arrived(form, sending) {
  const told = sending.response?.getElementById("import");
  if (!GOING.includes(sending.status) || !told) return broke(form);
  if (sending.status === 200) return location.assign(form.dataset.done);
  const field = told.querySelector("#import-file");
  form.querySelector("#import-file").closest(".field").replaceWith(field.closest(".field"));
  tell(form, false);
  form.querySelector("#import-file").focus();
}

function broke(form) {
  tell(form, false);
  form.querySelector("[data-bring-broken]").hidden = false;
}

function tell(form, on) {
  form.toggleAttribute("aria-busy", on);
  form.querySelector("[data-bring-broken]").hidden = true;
  form.querySelector("[data-bring-progress]").hidden = !on;
  for (const button of form.querySelectorAll("button")) button.toggleAttribute("disabled", on);
}
