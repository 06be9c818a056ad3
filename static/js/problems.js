// What the server said stands between a message and its sending goes as soon as it is put right; and what the page itself
// has to say to somebody who writes.
export function clearProblems(form) {
  const note = form.querySelector("[data-problem]")?.closest(".note");
  if (!note) return;
  const people = ["to", "cc", "bcc"].map((name) => form.elements[name]?.value ?? "").join(",");
  for (const one of note.querySelectorAll("[data-problem]")) if (isSolved(form, one.dataset, people)) one.remove();
  if (!note.querySelector("[data-problem]")) note.remove();
}

function isSolved(form, { problem, about }, people) {
  if (problem === "nobody") return /[^\s,;]/.test(people);
  if (problem === "uploading") return !form.querySelector(".file[data-failed], .file:has(progress)");
  return Boolean(about) && !people.includes(about);
}

export function say(form, words) {
  form.querySelector("[data-said]")?.remove();
  const note = document.createElement("p");
  note.className = "note note--kraft note--flush";
  note.dataset.said = "";
  note.setAttribute("role", "alert");
  note.textContent = words;
  form.querySelector(".compose__foot").before(note);
}
