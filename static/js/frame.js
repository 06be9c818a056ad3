// The sandboxed body's height. Its document has no origin of ours and runs no script, so nothing can measure it: the
// server's estimate is taken, where the browser cannot size frames by itself, and the frame scrolls inside if it is short.
export function bind(frame) {
  if (CSS.supports("frame-sizing", "content-block-size")) return;
  frame.style.blockSize = `${Math.max(120, Number(frame.dataset.estimate) || 400)}px`;
}
