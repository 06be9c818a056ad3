// A chart of lines over days, drawn by uPlot. The element names the JSON with its columns and holds its words; its colours are
// those of the theme, read anew when that changes; the table beside it says the same.
import uPlot from "uplot";

const HEIGHT = 228, LABEL_GAP = 15, MONTH_WIDTH = 58, LABEL_HALF = 30, AXIS_WIDTH = 50, END_ROOM = 8, PRINT_WIDTH = 640;
const TINTS = ["tinta", "text", "text-2", "text-3", "lacre", "line", "line-2", "paper"];
const language = document.documentElement.lang;
const redraws = new Set();

export function bind(element) {
  const figures = JSON.parse(document.getElementById(element.dataset.figures).textContent);
  let tints = coloursOf(element);
  const tint = (name) => () => tints[name];
  const plot = new uPlot(options(element, figures, tint), figures.data, element);
  plot.root.querySelectorAll(".u-series").forEach((row, index) => { row.hidden = plot.series[index].quiet === true; });
  const fit = () => plot.setSize({ width: element.clientWidth || PRINT_WIDTH, height: HEIGHT });
  new ResizeObserver(() => element.clientWidth !== plot.width && fit()).observe(element);
  redraws.add((printed) => {
    tints = coloursOf(element, printed ? "light" : "");
    if (printed) plot.setSize({ width: PRINT_WIDTH, height: HEIGHT });
    else fit();
    plot.redraw(false);
  });
  document.fonts.ready.then(() => plot.redraw(false));
}

const redraw = (printed = false) => redraws.forEach((one) => one(printed));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
new MutationObserver(() => redraw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
addEventListener("beforeprint", () => redraw(true));
addEventListener("afterprint", () => redraw());

function options(element, figures, tint) {
  const words = element.dataset;
  const [, , , , lows, highs] = figures.data;
  const size = (plot, value) => (value == null ? "" : sized(value));
  const band = (plot, value, series, index) => (value == null || highs[index] == null ? "" : `${sized(lows[index])} – ${sized(highs[index])}`);
  const line = { points: { show: false }, spanGaps: true, width: 2 };
  return {
    width: element.clientWidth || PRINT_WIDTH,
    height: HEIGHT,
    padding: [22, END_ROOM, 0, 0],
    scales: { x: { time: false }, y: { range: figures.range } },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    legend: { isolate: false },
    series: [
      { label: words.day, value: (plot, day) => (day == null ? "" : dayOf(day)) },
      { ...line, label: words.used, stroke: tint("tinta"), value: size },
      words.kept ? { ...line, label: words.promised, stroke: tint("text-2"), width: 1.5, dash: [4, 4], value: size } : { show: false, quiet: true },
      lows.some((low) => low != null) ? { ...line, label: words.ahead, stroke: tint("tinta"), dash: [4, 4], value: band } : { show: false, quiet: true },
      { ...line, width: 0, quiet: true },
      { ...line, width: 0, quiet: true },
    ],
    bands: [{ series: [5, 4], fill: () => faded(tint("tinta")()) }],
    axes: [
      { stroke: tint("text-3"), font: font(element), size: 24, gap: 4, grid: { show: false }, ticks: { show: false }, splits: months, values: (plot, days) => days.map(monthOf) },
      { stroke: tint("text-3"), font: font(element), size: 42, gap: 8, grid: { stroke: tint("line"), width: 1 }, ticks: { show: false }, values: (plot, sizes) => sizes.map((value) => plain(value / figures.unit)) },
    ],
    hooks: { draw: [(plot) => mark(plot, figures, words, tint, font(element, 650))] },
  };
}

// The disk and the threshold across, what jumped, the ends of the lines, and what they say. What lies far above the chart is named
// at its upper edge.
function mark(plot, figures, words, tint, face) {
  const context = plot.ctx, ratio = uPlot.pxRatio, { left, top, width, height } = plot.bbox;
  const x = (day) => plot.valToPos(day, "x", true), y = (size) => plot.valToPos(size, "y", true);
  const [least, most] = figures.range, inside = (size) => size >= least && size <= most;
  const taken = [], edge = top - 8 * ratio;
  context.save();
  context.font = face.replace(/[\d.]+px/, (size) => `${parseFloat(size) * ratio}px`);
  context.textBaseline = "alphabetic";
  context.lineJoin = "round";
  const across = (size, colour, dash) => {
    Object.assign(context, { strokeStyle: tint(colour)(), lineWidth: 1.5 * ratio });
    context.setLineDash(dash.map((part) => part * ratio));
    context.beginPath();
    context.moveTo(left, y(size));
    context.lineTo(left + width, y(size));
    context.stroke();
  };
  // At the first of the heights where no other label is and that is on the chart, on paper of its own, so that no line goes through it.
  const say = (text, at, heights, align, colour) => {
    const wide = context.measureText(text).width, begin = align === "left" ? at : align === "right" ? at - wide : at - wide / 2;
    const from = Math.min(Math.max(begin, left), left + width - wide), tall = 12 * ratio;
    const crossed = (base) => drawn.some(([at, high]) => at > from - 2 * ratio && at < from + wide + 2 * ratio && high > base - tall && high < base + 3 * ratio);
    const free = (base) => base <= top + height - 3 * ratio && base - tall >= 0 && !crossed(base) && !taken.some((one) => from < one.to && from + wide > one.from && Math.abs(base - one.base) < LABEL_GAP * ratio);
    const base = heights.find(free) ?? heights[0];
    taken.push({ from, to: from + wide, base });
    context.fillStyle = tint("paper")();
    context.fillRect(from - 2 * ratio, base - tall + ratio, wide + 4 * ratio, tall + 2 * ratio);
    context.fillStyle = tint(colour)();
    context.textAlign = "left";
    context.fillText(text, from, base);
  };
  const dot = (day, size, colour) => {
    context.fillStyle = tint(colour)();
    context.beginPath();
    context.arc(x(day), y(size), 4 * ratio, 0, 2 * Math.PI);
    context.fill();
  };
  const [days, used, promised] = figures.data;
  const now = used.findLastIndex((size) => size != null), end = promised.findLastIndex((size) => size != null);
  const around = (size) => [0, 1, 2, 3, 4].flatMap((more) => [below(size) + more * 10 * ratio, above(size) - more * 10 * ratio]);
  const above = (size) => y(size) - 8 * ratio, below = (size) => y(size) + 18 * ratio;
  const drawn = [1, 2, 3].flatMap((column) => course(figures.data[0], figures.data[column], x, y));
  const diskShown = words.disk && inside(figures.disk), alertShown = words.alert && inside(figures.alert);
  for (const size of [diskShown && figures.disk, alertShown && figures.alert]) if (size) for (let at = left; at < left + width; at += 6) drawn.push([at, y(size)]);
  if (diskShown) across(figures.disk, "text-2", []);
  if (alertShown) across(figures.alert, "lacre", [4, 4]);
  if (words.disk) say(words.disk, left + width, diskShown ? [above(figures.disk), below(figures.disk)] : [edge], "right", "text");
  if (alertShown) say(words.alert, left + 6 * ratio, [above(figures.alert), below(figures.alert)], "left", "lacre");
  if (words.alertOn) say(words.alertOn, x(figures.alertOn), [above(figures.alert) - 2 * ratio, below(figures.alert) + 2 * ratio], "center", "lacre");
  say(words.now, x(days[now]), around(used[now]), "right", "tinta");
  if (words.kept) {
    if (inside(promised[end])) say(words.kept, x(days[end]) - 6 * ratio, around(promised[end]), "right", "text-2");
    else say(words.kept, left, [edge, edge + LABEL_GAP * ratio], "left", "text-2");
  }
  dot(days[now], used[now], "tinta"); // a jump of today is drawn over it
  figures.marks.forEach(([day, size]) => {
    const [at, above, half] = [x(day), y(size), 5 * ratio];
    Object.assign(context, { fillStyle: tint("lacre")(), strokeStyle: tint("paper")(), lineWidth: 1.5 * ratio });
    context.setLineDash([]);
    context.beginPath();
    [[0, -half], [half, 0], [0, half], [-half, 0]].forEach(([right, down]) => context.lineTo(at + right, above + down));
    context.closePath();
    context.fill();
    context.stroke();
  });
  if (words.alertOn) dot(figures.alertOn, figures.alert, "lacre");
  context.restore();
}

// The places of a line, close enough that no label fits between two of them.
function course(days, sizes, x, y) {
  const ends = days.flatMap((day, index) => (sizes[index] == null ? [] : [[x(day), y(sizes[index])]]));
  return ends.flatMap(([toX, toY], index) => {
    const [fromX, fromY] = ends[Math.max(0, index - 1)], parts = Math.max(1, Math.ceil(Math.hypot(toX - fromX, toY - fromY) / 6));
    return Array.from({ length: parts }, (_, part) => [fromX + ((toX - fromX) * (part + 1)) / parts, fromY + ((toY - fromY) * (part + 1)) / parts]);
  });
}

// The first days of months, as many as have room.
function months(plot, axis, from, to) {
  const found = [], start = new Date(from * 1000);
  for (let month = start.getUTCMonth() + (start.getUTCDate() > 1 ? 1 : 0); ; month++) {
    const first = Date.UTC(start.getUTCFullYear(), month, 1) / 1000;
    if (first > to) break;
    found.push(first);
  }
  const wide = plot.width - AXIS_WIDTH - END_ROOM; // a name that would be cut off at the end is left out
  while (found.length > 1 && ((to - found.at(-1)) / (to - from)) * wide + END_ROOM < LABEL_HALF) found.pop();
  const every = Math.max(1, Math.ceil(found.length / Math.max(2, Math.floor(plot.width / MONTH_WIDTH))));
  return found.filter((first, index) => index % every === 0);
}

const written = (options) => { const form = new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options }); return (day) => form.format(new Date(day * 1000)); };
const dayOf = written({ day: "numeric", month: "short", year: "numeric" });
const month = written({ month: "short" }), january = written({ month: "short", year: "numeric" });
const monthOf = (day) => (new Date(day * 1000).getUTCMonth() ? month(day) : january(day)).replace(".", ""); // small where the language writes it so
const plain = (value) => new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value);

// As the server writes sizes: decimal units.
function sized(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (; bytes >= 999.5 && unit < units.length - 1; unit++) bytes /= 1000;
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: unit >= 2 && bytes < 99.95 ? 1 : 0 }).format(bytes)}\u00a0${units[unit]}`;
}

function coloursOf(element, scheme = "") {
  const probe = element.appendChild(document.createElement("span"));
  probe.style.colorScheme = scheme;
  const found = Object.fromEntries(TINTS.map((name) => { probe.className = `plot__${name}`; return [name, getComputedStyle(probe).color]; }));
  probe.remove();
  return found;
}

const faded = (colour) => colour.replace(/\s*\)$/, " / 0.15)");
const font = (element, weight = 400) => `${weight} 12px ${getComputedStyle(element).fontFamily}`;
