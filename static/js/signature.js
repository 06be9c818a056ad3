// The signature of whom one writes as: when another is chosen, theirs takes its place, where it stands unchanged in the text.
// webmail/services/identities.py does the same where this does not run; "signed" tells it whose signature stands there.
const DASHES = "-- \n";

export function followIdentity(form) {
  const { identity, signed } = form.elements;
  if (!identity?.options) return;
  let last = blockOf(identity);
  identity.addEventListener("change", () => {
    const next = blockOf(identity);
    if (form.elements.plain.value === "1") form.elements.text.value = swap(form.elements.text.value, last, next, form.dataset.writeBelow !== undefined);
    else swapRich(form.querySelector(".compose__rich"), last, next);
    last = next;
    signed.value = identity.value;
    form.elements.text.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// Where one begins to write in a plain text: above the quotation, or below it and above the signature.
export function placeToWrite(form) {
  if (form.dataset.writeBelow === undefined) return 0;
  const { value } = form.elements.text;
  const at = value.lastIndexOf(`\n\n${DASHES}`);
  return at < 0 ? value.length : at;
}

function blockOf(select) {
  const signature = select.selectedOptions[0]?.dataset.signature;
  return signature ? DASHES + signature : "";
}

function swap(text, old, next, writeBelow) {
  if (old === next) return text;
  if (old) {
    const at = `\n${text}\n`.lastIndexOf(`\n${old}\n`);
    return at < 0 ? text : text.slice(0, at) + next + text.slice(at + old.length);
  }
  const at = writeBelow ? text.length : quoteStart(text);
  const quote = text.slice(at);
  return `${text.slice(0, at).replace(/\n+$/, "")}\n\n${next}${quote && `\n\n${quote}`}`;
}

function quoteStart(text) {
  const match = /^(?:>|-{8} .+ -{8}$)/m.exec(text);
  if (!match) return text.length;
  const before = text.slice(0, match.index).replace(/\n+$/, "");
  if (match[0][0] !== ">" || before !== text.slice(0, Math.max(0, match.index - 1))) return match.index;
  return before.lastIndexOf("\n") + 1;
}

// In the editor every line is a paragraph of its own. Its observer tells of the change.
function swapRich(root, old, next) {
  if (old === next) return;
  const shown = [...root.children].map((one) => plain(one.textContent));
  const lines = old ? old.split("\n").map(plain) : [];
  let at = old ? shown.length - lines.length : shown.length;
  while (old && at >= 0 && !lines.every((line, index) => shown[at + index] === line)) at -= 1;
  if (at < 0) return;
  const after = root.children[at + lines.length] ?? null;
  for (const one of [...root.children].slice(at, at + lines.length)) one.remove();
  for (const line of next ? next.split("\n") : []) root.insertBefore(paragraph(line), after);
  if (!root.children.length) root.append(paragraph(""));
}

function paragraph(line) {
  const p = document.createElement("p");
  p.textContent = line;
  if (!line) p.append(document.createElement("br"));
  return p;
}

function plain(text) {
  return text.replaceAll("\u200b", "").replaceAll("\u00a0", " ").trimEnd();
}
