// A slider whose track shows its value, and that sets the field that data-sets names to the same number.
export function bind(slider) {
  slider.addEventListener("input", () => {
    const { min, max, value } = slider;
    slider.style.setProperty("--v", String(((value - min) / (max - min)) * 100));
    const field = slider.dataset.sets && document.querySelector(`[name="${slider.dataset.sets}"]`);
    const keep = field?.form?.querySelector(`[name="keep"][value="${value === "0" ? "delete" : "days"}"]`);
    if (field && value !== "0") field.value = value;
    if (keep) keep.checked = true;
  });
}
