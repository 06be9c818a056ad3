// A slider of steps beside a field for the exact number: whichever moves takes the other along, and the field that data-sets
// names, with its radio button. data-steps are the numbers at which it stops, data-field the id of the field.
export function bind(slider) {
  const steps = slider.dataset.steps.split(" ").map(Number);
  const exact = document.getElementById(slider.dataset.field);
  slider.addEventListener("input", () => {
    exact.value = steps[slider.value];
    exact.dispatchEvent(new Event("input", { bubbles: true }));
  });
  exact.addEventListener("input", () => {
    const days = Number(exact.value);
    if (exact.value === "" || !exact.checkValidity()) return;
    const nearest = steps.findLastIndex((step) => step <= days);
    if (steps[slider.value] !== days) slider.value = nearest;
    slider.style.setProperty("--v", String((nearest / (steps.length - 1)) * 100));
    slider.setAttribute("aria-valuetext", exact.value);
    choose(slider.dataset.sets, days);
  });
}

function choose(name, days) {
  const field = document.querySelector(`[name="${name}"]`);
  const keep = field?.form?.querySelector(`[name="keep"][value="${days === 0 ? "delete" : "days"}"]`);
  if (field && days !== 0) field.value = days;
  if (keep) keep.checked = true;
}
