// Stands before the scripts of a report under test: catches every error, and helps the steps of a test.
window.seen = [];
window.addEventListener("error", (event) => seen.push(String(event.message)));
for (const name of ["error", "warn"]) {
  const old = console[name];
  console[name] = (...words) => { seen.push(words.join(" ")); old(...words); };
}
// A headless browser that only dumps the document paints no frames.
window.requestAnimationFrame = (draw) => setTimeout(draw, 0);

const frame = () => new Promise((done) => setTimeout(done, 30));
const byId = (id) => document.getElementById(id);
const textOf = (id) => byId(id).textContent;
const click = async (selector) => { document.querySelector(selector).click(); await frame(); };

// How many pixels of each opaque colour a canvas has.
function colours(id) {
  const canvas = byId(id), found = {};
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] !== 255) continue;
    const colour = [pixels[i], pixels[i + 1], pixels[i + 2]].join();
    found[colour] = (found[colour] || 0) + 1;
  }
  return found;
}

// A pointer event on a canvas at a share of the width of its plot.
async function pointer(id, name, share) {
  const canvas = byId(id), box = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  const clientX = box.left + 70 + share * (box.width - 82), clientY = box.top + 60;
  canvas.dispatchEvent(new PointerEvent(name, { pointerId: 1, button: 0, clientX, clientY }));
  await frame();
}

// The numbers of a column of the trade table.
function column(name) {
  const head = [...document.querySelectorAll("#trades th")].find((cell) => cell.textContent.trim() === name);
  const rows = [...document.querySelectorAll("#trades tbody tr")];
  return { head, numbers: rows.map((row) => Number(row.cells[head.cellIndex].textContent.replace(/,/g, ""))) };
}

// Runs the steps of a test and writes what they return into the document.
window.probe = (steps) => setTimeout(async () => {
  let result;
  try { result = await steps(); } catch (error) { result = { failed: String(error) }; }
  const out = document.createElement("pre");
  out.id = "facts";
  out.textContent = JSON.stringify({ seen, result });
  document.body.append(out);
}, 50);
