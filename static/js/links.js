// The address that words are, for a link; "" when they are none.
export function linkOf(words) {
  if (/^(https?:|mailto:)\S+$/i.test(words)) return words;
  if (/^[^\s@]+@[^\s@]+$/.test(words)) return `mailto:${words}`;
  return /^[^\s/]+\.[a-z]{2,}(\/\S*)?$/i.test(words) ? `https://${words}` : "";
}
