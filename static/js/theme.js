// Shows a choice of theme or density at once, before it is saved. The element is the form with the fields.
const SHOWN = { theme: (value) => set(document.documentElement, "theme", value === "system" ? "" : value) };

export function bind(form) {
  form.addEventListener("change", (event) => SHOWN[event.target.name]?.(event.target.value));
}

function set(element, name, value) {
  if (value) element.dataset[name] = value;
  else delete element.dataset[name];
}
