(() => {
"use strict";
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const BOX = { left: 70, right: 12, top: 10, bottom: 24 };
const STRIP = 76;
const full = { from: data.from ?? 0, to: data.to ?? DAY };
if (data.symbols.length) full.from = Math.min(full.from, data.symbols[0].first);
if (!(full.to > full.from)) full.to = full.from + HOUR;
let view = { ...full }, hover = null, drag = null, symbol = null, colours = {}, waiting = false;

// ---- text -------------------------------------------------------------------------------------------------------

const two = (n) => String(n).padStart(2, "0");
const clock = (ts) => { const d = new Date(ts); return two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()); };
const date = (ts) => { const d = new Date(ts); return d.getUTCFullYear() + "-" + two(d.getUTCMonth() + 1) + "-" + two(d.getUTCDate()); };
const moment = (ts) => date(ts) + " " + clock(ts);
const fixed = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const span = (ms) => ms % DAY === 0 ? ms / DAY + " d" : ms % HOUR === 0 ? ms / HOUR + " h" : fixed(ms / MINUTE, ms % MINUTE ? 1 : 0) + " min";
const signed = (value) => (value > 0 ? "+" : "") + fixed(value, 2);

// ---- scales -----------------------------------------------------------------------------------------------------

function after(list, ts) { // first place in a rising list that is above ts
  let low = 0, high = list.length;
  while (low < high) { const mid = (low + high) >> 1; if (list[mid] <= ts) low = mid + 1; else high = mid; }
  return low;
}

function niceStep(range, most) {
  const raw = range / Math.max(1, most), size = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].find((n) => n * size >= raw) * size;
}

function timeTicks(most) {
  const range = view.to - view.from, ticks = [];
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 5760, 10080, 20160].map((n) => n * MINUTE)
    .find((n) => range / n <= most);
  if (step && step <= 2 * 7 * DAY && range / DAY < 70) {
    for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
      const d = new Date(t), day = d.getUTCDate() + " " + MONTHS[d.getUTCMonth()];
      ticks.push([t, t % DAY ? clock(t) : day]);
    }
    return ticks;
  }
  const months = [1, 2, 3, 6, 12, 24, 60].find((n) => range / (n * 30.4 * DAY) <= most) || 120;
  const first = new Date(view.from);
  for (let m = first.getUTCMonth() - (first.getUTCMonth() % Math.min(months, 12)); ; m += months) {
    const d = new Date(Date.UTC(first.getUTCFullYear(), m, 1));
    if (d.getTime() > view.to) return ticks;
    if (d.getTime() >= view.from) ticks.push([d.getTime(), MONTHS[d.getUTCMonth()] + " " + d.getUTCFullYear()]);
  }
}

// ---- a panel: one canvas with both axes -------------------------------------------------------------------------

function panel(id, extent, paint, read, strip = () => 0) {
  const canvas = $(id);
  if (!canvas) return null;
  const p = { canvas, c: canvas.getContext("2d") };
  p.x = (ts) => BOX.left + (ts - view.from) / (view.to - view.from) * p.w;
  p.ts = (x) => view.from + Math.min(1, Math.max(0, (x - BOX.left) / p.w)) * (view.to - view.from);
  p.y = (value) => BOX.top + (p.high - value) / (p.high - p.low) * p.h;
  p.draw = () => {
    const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale); canvas.height = Math.round(height * scale);
    }
    const c = p.c;
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, width, height);
    c.font = "12px system-ui, sans-serif";
    p.strip = strip();
    p.w = Math.max(10, width - BOX.left - BOX.right);
    p.h = Math.max(10, height - BOX.top - BOX.bottom - p.strip);
    const found = extent();
    if (!found) { c.fillStyle = colours.soft; c.fillText("nothing to draw in this stretch of time", BOX.left, height / 2); return; }
    const [low, high, edge] = found, room = (high - low) * 0.06 || Math.abs(high) * 0.001 || 1;
    p.low = low - (edge === "low" ? 0 : room); p.high = high + (edge === "high" ? 0 : room);
    axes(p, height);
    c.save(); c.beginPath(); c.rect(BOX.left, 0, p.w, height - BOX.bottom); c.clip();
    paint(p);
    c.restore();
    crosshair(p, height);
    $(id + "-text").textContent = hover === null ? read(null) : moment(hover) + " · " + read(hover);
  };
  listen(p);
  return p;
}

function axes(p, height) {
  const c = p.c, step = niceStep(p.high - p.low, p.h / 34), digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  c.lineWidth = 1; c.textBaseline = "middle"; c.textAlign = "right";
  for (let v = Math.ceil(p.low / step) * step; v <= p.high + step * 1e-6; v += step) {
    const y = Math.round(p.y(v)) + 0.5;
    c.strokeStyle = colours.grid; c.beginPath(); c.moveTo(BOX.left, y); c.lineTo(BOX.left + p.w, y); c.stroke();
    c.fillStyle = colours.soft; c.fillText(fixed(Math.abs(v) < step / 1e6 ? 0 : v, digits), BOX.left - 8, y);
  }
  c.textAlign = "center"; c.textBaseline = "alphabetic";
  for (const [t, text] of timeTicks(p.w / 84)) {
    const x = Math.round(p.x(t)) + 0.5, half = c.measureText(text).width / 2;
    c.strokeStyle = colours.grid; c.beginPath(); c.moveTo(x, BOX.top); c.lineTo(x, height - BOX.bottom); c.stroke();
    if (x - half < BOX.left - 20 || x + half > BOX.left + p.w + BOX.right) continue;
    c.fillStyle = colours.soft; c.fillText(text, x, height - 8);
  }
  c.strokeStyle = colours.line; c.strokeRect(BOX.left + 0.5, BOX.top + 0.5, p.w - 1, height - BOX.top - BOX.bottom - 1);
}

function crosshair(p, height) {
  const c = p.c;
  if (drag && Math.abs(drag.now - drag.start) > 3) {
    const a = p.x(drag.from), b = p.x(p.ts(drag.now));
    c.fillStyle = colours.band; c.fillRect(Math.min(a, b), BOX.top, Math.abs(b - a), height - BOX.top - BOX.bottom);
  }
  if (hover !== null && hover >= view.from && hover <= view.to) {
    const x = Math.round(p.x(hover)) + 0.5;
    c.strokeStyle = colours.soft; c.setLineDash([3, 3]);
    c.beginPath(); c.moveTo(x, BOX.top); c.lineTo(x, height - BOX.bottom); c.stroke(); c.setLineDash([]);
  }
}

// ---- equity and drawdown ----------------------------------------------------------------------------------------

function visible(t) { return [Math.max(0, after(t, view.from) - 1), Math.min(t.length, after(t, view.to) + 1)]; }

function line(p, t, values, colour, dash = []) {
  const c = p.c, [a, b] = visible(t);
  c.strokeStyle = colour; c.lineWidth = 1.6; c.lineJoin = "round"; c.setLineDash(dash); c.beginPath();
  for (let i = a; i < b; i++) c.lineTo(p.x(t[i]), p.y(values[i]));
  c.stroke(); c.setLineDash([]);
}

function equityExtent() {
  let low = Infinity, high = -Infinity;
  for (const s of [data.equity, ...data.shadow]) {
    const [a, b] = visible(s.t);
    for (let i = a; i < b; i++) { low = Math.min(low, s.lo[i]); high = Math.max(high, s.hi[i]); }
  }
  return low <= high ? [low, high] : null;
}

function paintEquity(p) {
  const e = data.equity, c = p.c, [a, b] = visible(e.t);
  c.fillStyle = colours.band; c.beginPath();
  for (let i = a; i < b; i++) c.lineTo(p.x(e.t[i]), p.y(e.hi[i]));
  for (let i = b - 1; i >= a; i--) c.lineTo(p.x(e.t[i]), p.y(e.lo[i]));
  c.fill();
  line(p, [view.from, view.to], [e.starting, e.starting], colours.soft, [2, 4]);
  data.shadow.forEach((s, k) => line(p, s.t, s.e, colours.shadow, k ? [2 + 3 * k, 3] : [7, 4]));
  line(p, e.t, e.e, colours.accent);
}

function readEquity(ts) {
  const e = data.equity;
  const shadows = data.shadow.length ? " · dashed: shadow " + data.shadow.map((s) => s.name).join(", ") : "";
  if (ts === null || !e.t.length) return "line at the end of an interval, band from its lowest to its highest" + shadows;
  const i = Math.min(e.t.length - 1, after(e.t, ts - 1));
  const others = data.shadow.filter((s) => s.t.length).map((s) => " · " + s.name + " " + fixed(s.e[Math.min(s.t.length - 1, after(s.t, ts - 1))], 2));
  return fixed(e.e[i], 2) + " · lowest " + fixed(e.lo[i], 2) + " · highest " + fixed(e.hi[i], 2) + others.join("");
}

function drawdownExtent() {
  const d = data.equity, [a, b] = visible(d.t);
  let deepest = 0;
  for (let i = a; i < b; i++) deepest = Math.max(deepest, d.dd[i]);
  return d.t.length ? [-deepest || -0.01, 0, "high"] : null;
}

function paintDrawdown(p) {
  const c = p.c, d = data.equity, [a, b] = visible(d.t);
  c.beginPath(); c.moveTo(p.x(d.t[a]), p.y(0));
  for (let i = a; i < b; i++) c.lineTo(p.x(d.t[i]), p.y(-d.dd[i]));
  c.lineTo(p.x(d.t[b - 1]), p.y(0));
  c.fillStyle = colours.down + "44"; c.fill(); c.strokeStyle = colours.down; c.lineWidth = 1.3; c.stroke();
}

function readDrawdown(ts) {
  const d = data.equity;
  if (ts === null || !d.t.length) return "deepest point of each interval";
  return "-" + fixed(d.dd[Math.min(d.t.length - 1, after(d.t, ts - 1))], 2) + " %";
}

// ---- candles and trades -----------------------------------------------------------------------------------------

function prepare(s) { // times of the bars, trades in order of entry, and counts for each bar
  if (s.start) return s;
  s.start = s.i.map((n) => s.first + n * s.step);
  if (s.trades) {
    const zeros = () => new Array(s.i.length).fill(0), bar = (ts) => Math.max(0, after(s.start, ts) - 1);
    s.long = zeros(); s.short = zeros(); s.exits = zeros(); s.pnl = zeros();
    if (s.i.length) for (const t of s.trades) {
      (t[4] > 0 ? s.long : s.short)[bar(t[0])]++; s.exits[bar(t[2])]++; s.pnl[bar(t[2])] += t[5];
    }
  }
  return s;
}

function bars() { return [Math.max(0, after(symbol.start, view.from) - 1), after(symbol.start, view.to)]; }

function singles() { // trades to draw one by one, or null when they are too many for the width
  if (!symbol.trades) return null;
  const seen = symbol.trades.filter((t) => t[2] >= view.from && t[0] <= view.to);
  return seen.length <= Math.max(40, $("candles").clientWidth / 7) ? seen : null;
}

function candleExtent() {
  const [a, b] = bars();
  let low = Infinity, high = -Infinity;
  for (let i = a; i < b; i++) { low = Math.min(low, symbol.l[i]); high = Math.max(high, symbol.h[i]); }
  return low <= high ? [low, high] : null;
}

function paintCandles(p) {
  const c = p.c, s = symbol, [a, b] = bars(), width = p.x(s.step) - p.x(0), body = Math.max(1, Math.floor(width * 0.7));
  for (const rising of [true, false]) {
    c.fillStyle = c.strokeStyle = rising ? colours.up : colours.down; c.lineWidth = 1; c.beginPath();
    for (let i = a; i < b; i++) {
      if ((s.c[i] >= s.o[i]) !== rising) continue;
      const x = p.x(s.start[i] + s.step / 2), top = p.y(Math.max(s.o[i], s.c[i])), bottom = p.y(Math.min(s.o[i], s.c[i]));
      c.moveTo(Math.round(x) + 0.5, p.y(s.h[i])); c.lineTo(Math.round(x) + 0.5, p.y(s.l[i]));
      if (width > 2.5) c.fillRect(Math.round(x - body / 2 + 0.5), top, body, Math.max(1, bottom - top));
    }
    c.stroke();
  }
  const seen = singles();
  $("candles-note").textContent = "One bar is " + span(s.step) + ". " + (seen ? "" : fixed(s.count, 0) + " trades: entries per bar are counted in the strip below the candles; " +
    (s.trades ? "zoom in to see each. " : "each is in trades.csv. "));
  if (seen) seen.forEach((t) => marker(p, t)); else countStrip(p, a, b);
}

function marker(p, t) {
  const c = p.c, [entered, price, left, exit, sign, pnl] = t, x = p.x(entered), y = p.y(price), ex = p.x(left), ey = p.y(exit);
  const won = pnl > 0 ? colours.up : colours.down, up = sign > 0;
  c.strokeStyle = won; c.lineWidth = 1.4; c.setLineDash(pnl > 0 ? [] : [4, 3]);
  c.beginPath(); c.moveTo(x, y); c.lineTo(ex, ey); c.stroke(); c.setLineDash([]);
  c.fillStyle = up ? colours.up : colours.down; c.strokeStyle = colours.ink; c.lineWidth = 1;
  const k = up ? 1 : -1;
  c.beginPath(); c.moveTo(x, y + 2 * k); c.lineTo(x - 5, y + 11 * k); c.lineTo(x + 5, y + 11 * k); c.closePath(); c.fill(); c.stroke();
  c.fillStyle = won; c.beginPath(); c.arc(ex, ey, 3.5, 0, 7); c.fill(); c.stroke();
}

function countStrip(p, a, b) { // entries by pixel column: long above the middle, short below it
  const c = p.c, s = symbol, columns = new Map(), edge = BOX.top + p.h + 4, half = (STRIP - 26) / 2, middle = edge + 20 + half;
  const wide = Math.max(2, Math.floor(p.x(s.step) - p.x(0)) - 1);
  let most = 1;
  for (let i = a; i < b; i++) {
    const x = Math.floor(p.x(s.start[i]) / (wide + 1)), at = columns.get(x) || [0, 0];
    at[0] += s.long[i]; at[1] += s.short[i]; columns.set(x, at); most = Math.max(most, at[0], at[1]);
  }
  c.fillStyle = colours.page; c.fillRect(BOX.left, edge, p.w, STRIP);
  for (const [x, [long, short]] of columns) {
    c.fillStyle = colours.up; c.fillRect(x * (wide + 1), middle - half * long / most, wide, half * long / most);
    c.fillStyle = colours.down; c.fillRect(x * (wide + 1), middle, wide, half * short / most);
  }
  c.textAlign = "left"; c.textBaseline = "top"; c.fillStyle = colours.soft;
  const label = "entries, up to " + most + " a column";
  c.fillText(label + (p.w > 360 ? ": long above, short below" : ""), BOX.left + 8, edge + 4); c.textBaseline = "alphabetic";
}

function readCandles(ts) {
  const s = symbol, i = ts === null ? -1 : after(s.start, ts) - 1;
  if (i < 0 || !s.i.length) return "bars of " + span(s.step) + ", quote currency";
  const price = (v) => fixed(v, Math.min(s.digits, 8));
  let text = "open " + price(s.o[i]) + " · high " + price(s.h[i]) + " · low " + price(s.l[i]) + " · close " + price(s.c[i]);
  if (s.long[i] + s.short[i]) text += " · entries " + s.long[i] + " long, " + s.short[i] + " short";
  if (s.exits[i]) text += " · exits " + s.exits[i] + ", P&L " + signed(s.pnl[i]);
  return text;
}

// ---- moving about -----------------------------------------------------------------------------------------------

function show(from, to) {
  const least = symbol ? 8 * symbol.step : HOUR, most = full.to - full.from;
  let width = Math.min(most, Math.max(least, to - from)), middle = (from + to) / 2;
  from = Math.min(Math.max(full.from, middle - width / 2), full.to - width);
  view = { from, to: from + width };
  later();
}

const zoom = (factor, at = (view.from + view.to) / 2) => show(at - (at - view.from) * factor, at + (view.to - at) * factor);
const move = (share) => { const by = share * (view.to - view.from); show(view.from + by, view.to + by); };
const everything = () => show(full.from, full.to);

function listen(p) {
  const canvas = p.canvas, place = (event) => event.clientX - canvas.getBoundingClientRect().left;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const x = place(event); drag = { start: x, now: x, from: p.ts(x) }; canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => { hover = p.ts(place(event)); if (drag) drag.now = place(event); later(); });
  canvas.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const to = p.ts(place(event)), from = drag.from, far = Math.abs(place(event) - drag.start) > 5;
    drag = null;
    if (far) show(Math.min(from, to), Math.max(from, to)); else later();
  });
  canvas.addEventListener("pointercancel", () => { drag = null; later(); });
  canvas.addEventListener("pointerleave", () => { if (!drag) { hover = null; later(); } });
  canvas.addEventListener("dblclick", everything);
  canvas.addEventListener("keydown", (event) => {
    const keys = { ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: everything, Escape: everything };
    if (keys[event.key] && !event.ctrlKey && !event.metaKey) { keys[event.key](); event.preventDefault(); }
  });
}

for (const button of document.querySelectorAll("[data-span]")) button.addEventListener("click", () => {
  const wanted = Number(button.dataset.span), middle = (view.from + view.to) / 2, at = view.to >= full.to ? full.to - wanted / 2 : middle;
  if (wanted) show(at - wanted / 2, at + wanted / 2); else everything();
});
for (const button of document.querySelectorAll("[data-move]")) button.addEventListener("click", () => move(Number(button.dataset.move)));
for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));

// ---- table, theme, paper ----------------------------------------------------------------------------------------

function sortBy(table, column, rising) {
  const body = table.tBodies[0], key = (row) => {
    const cell = row.cells[column], text = cell.dataset.v ?? cell.textContent.replace(/[,%]/g, "").trim(), value = Number(text);
    return text === "" || Number.isNaN(value) ? text : value;
  };
  const rows = [...body.rows].map((row) => [key(row), row]);
  rows.sort(([a], [b]) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? 1 : -1) * (rising ? 1 : -1));
  body.append(...rows.map(([, row]) => row));
}

const table = $("trades");
if (table) [...table.tHead.rows[0].cells].forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
  const rising = head.getAttribute("aria-sort") === "descending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  sortBy(table, column, rising);
}));

const panels = [];
function draw() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["page", "ink", "soft", "line", "grid", "accent", "band", "up", "down", "shadow"]) colours[name] = style.getPropertyValue("--" + name).trim();
  panels.forEach((p) => p.draw());
  waiting = false;
}
function later() { if (!waiting) { waiting = true; requestAnimationFrame(draw); } }

$("theme").addEventListener("click", () => {
  location.replace("#theme=" + (document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
});
window.addEventListener("hashchange", () => {
  document.documentElement.dataset.theme = /theme=dark/.test(location.hash) ? "dark" : "light";
});
new MutationObserver(later).observe(document.documentElement, { attributeFilter: ["data-theme"] });
let before = "";
function paper(on) { // charts are drawn anew for the width of a page, in light colours
  const root = document.documentElement;
  if (on) before = root.dataset.theme;
  root.dataset.theme = on ? "light" : before;
  root.classList.toggle("paper", on);
  draw();
}
window.addEventListener("beforeprint", () => paper(true));
window.addEventListener("afterprint", () => paper(false));

if (data.symbols.length) {
  const pick = (number) => { symbol = prepare(data.symbols[number]); $("symbol-name").textContent = symbol.name; later(); };
  pick($("symbol").value || 0);
  $("symbol").addEventListener("change", (event) => pick(event.target.value));
}
panels.push(panel("equity", equityExtent, paintEquity, readEquity), panel("drawdown", drawdownExtent, paintDrawdown, readDrawdown));
if (symbol) panels.push(panel("candles", candleExtent, paintCandles, readCandles, () => (singles() ? 0 : STRIP)));
const resize = new ResizeObserver(later);
panels.forEach((p) => resize.observe(p.canvas));
draw();
})();
