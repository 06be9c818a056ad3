// A button that shows the password in the field that data-reveals names; sending the form hides it again.
export function bind(button) {
  const field = document.getElementById(button.dataset.reveals);
  const set = (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.addEventListener("click", () => set(field.type === "password"));
  field.form?.addEventListener("submit", () => set(false));
}
