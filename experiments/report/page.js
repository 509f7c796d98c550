"use strict";

// Sortable tables: cells with a number come first, then text, and empty cells last.

const collator = new Intl.Collator("en", { numeric: true });

function compare(a, b) {
  const empty = (a.textContent === "") - (b.textContent === "");
  if (empty) return { last: empty };
  const text = !("rank" in a.dataset) - !("rank" in b.dataset);
  if (text) return { way: text };
  if ("rank" in a.dataset) return { way: Number(a.dataset.rank) - Number(b.dataset.rank) };
  return { way: collator.compare(a.textContent, b.textContent) };
}

function sortRows(table, column, sign) {
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((a, b) => {
    const { last, way } = compare(a.cells[column], b.cells[column]);
    return last ?? sign * way;
  });
  body.append(...rows);
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sortRows(table, column, down ? -1 : 1);
    });
  });
}

document.querySelectorAll("table.sortable").forEach(makeSortable);

// A figure is in the page only once; the link that saves it points to the same data.
document.querySelectorAll("figure").forEach((figure) => {
  figure.querySelector("a.picture").href = figure.querySelector("img").src;
});

// The viewer: the values of the selects are the key of a picture.

const ORIGINAL = -1;
const SEEN = -2;

function startViewer(data) {
  const at = (id) => document.getElementById(id);
  const shots = new Map(data.shots.map((shot) => [shot.key.join(), shot]));
  const systems = [...data.systems.map((name, i) => [name, i]), ["the original", ORIGINAL]];
  if (data.shots.some((shot) => shot.seen !== undefined)) systems.push(["what the camera saw", SEEN]);

  fill(at("image"), data.images.map((image, i) => [image.name, i]), 0);
  fill(at("left"), systems, data.left);
  fill(at("right"), systems, data.right);
  const axes = data.axes.map((axis, i) => {
    const label = Object.assign(document.createElement("label"), { htmlFor: `axis-${i}`, textContent: axis.name });
    const select = Object.assign(document.createElement("select"), { id: `axis-${i}` });
    const box = document.createElement("div");
    box.append(label, select);
    at("choices").insertBefore(box, at("left").parentElement);
    fill(select, axis.values.map((value, j) => [value, j]), axis.open);
    return select;
  });
  const place = [at("image"), ...axes];

  const image = () => data.images[Number(at("image").value)];
  const chosen = (select) => select.selectedOptions[0].textContent;
  const where = () => [
    image().name, ...data.axes.map((axis, i) => `${axis.name} ${chosen(axes[i])}`),
  ].join(", ");

  function look(side) {
    const system = Number(at(side).value);
    if (system === ORIGINAL) return { received: image().original };
    const of = (number) => shots.get([...place.map((select) => select.value), number].join());
    if (system !== SEEN) return of(system);
    const beside = of(Number(at(side === "left" ? "right" : "left").value));
    return beside?.seen === undefined ? undefined : { received: beside.seen };
  }

  // If the chosen condition has no picture, go to the nearest one that keeps the last choice.
  function settle(last) {
    if (look("left") || look("right")) return;
    const wanted = place.map((select) => Number(select.value));
    const sides = [Number(at("left").value), Number(at("right").value)];
    const near = (key) =>
      1000 * (last >= 0 && key[last] === wanted[last]) +
      100 * sides.includes(key.at(-1)) +
      wanted.reduce((sum, value, i) => sum + (key[i] === value), 0);
    const best = data.shots.reduce((a, b) => (near(b.key) > near(a.key) ? b : a));
    place.forEach((select, i) => { select.value = best.key[i]; });
  }

  function put(side, shot, other) {
    const box = at(`${side}-side`);
    const name = chosen(at(side));
    const number = at("errors").checked ? shot?.error ?? shot?.received : shot?.received;
    setPicture(box.querySelector(".shown"), number);
    box.querySelector(".shown").alt = shot ? `${name}: ${where()}` : "";
    for (const layer of ["outline", "shade"]) {
      setPicture(box.querySelector(`.${layer}`), at(layer).checked ? (shot?.[layer] ?? other?.[layer]) : undefined);
    }
    box.querySelector(".missing").hidden = Boolean(shot);
    box.querySelector(".missing").textContent = `There is no picture of ${name} here: it was left out, failed, or was not kept.`;
    at(`${side}-name`).textContent = name;
  }

  function show() {
    const left = look("left");
    const right = look("right");
    put("left", left, right);
    put("right", right, left);
    at("viewing").style.setProperty("--ratio", `${image().width} / ${image().height}`);
    at("viewing").style.setProperty("--widest", `${Math.max(image().width, 384)}px`);
    const said = ["Left", "Right"].map((side) => `${side}: ${at(`${side.toLowerCase()}-name`).textContent}`);
    const lost = [left, right].map((shot) => (shot?.lost ? " (everything was lost)" : ""));
    at("shown").textContent = `${where()}. ${said.map((text, i) => text + lost[i]).join(". ")}.`;
    at("again").textContent = [...new Set([left, right].flatMap((shot) => shot?.task ?? []))]
      .map((task) => `semcom repeat ${data.results} ${task}`).join("; ");
    writeScores(at("scores"), data.groups, left?.cells, right?.cells);
  }

  function split() {
    const percent = Number(at("split").value);
    const left = Math.round(percent);
    at("stage").style.setProperty("--split", `${percent}%`);
    at("split").setAttribute("aria-valuetext", `${left} % left, ${100 - left} % right`);
  }

  place.forEach((select, i) => select.addEventListener("change", () => { settle(i); show(); }));
  for (const side of ["left", "right"]) at(side).addEventListener("change", () => { settle(-1); show(); });
  for (const id of ["outline", "shade", "errors"]) at(id).addEventListener("change", show);
  at("split").addEventListener("input", split);
  at("viewing").hidden = false;
  settle(0);
  split();
  show();
}

function fill(select, options, chosen) {
  select.append(...options.map(([text, value]) => new Option(text, value)));
  select.value = chosen;
}

function setPicture(img, number) {
  img.hidden = number === undefined;
  if (img.hidden) img.removeAttribute("src");
  else img.src = `data:image/webp;base64,${document.getElementById(`picture-${number}`).textContent}`;
}

function writeScores(table, groups, left = [], right = []) {
  const write = (value, digits) => (typeof value === "number" ? value.toFixed(digits) : value ?? "–");
  while (table.tBodies.length) table.tBodies[0].remove();
  let i = 0;
  for (const { title, rows } of groups) {
    const body = table.createTBody();
    if (title) headed(body, title, "rowgroup").colSpan = 4;
    for (const { head, digits } of rows) {
      const row = headed(body, head, "row").parentElement;
      const [a, b] = [left[i], right[i]];
      const both = typeof a === "number" && typeof b === "number";
      const gain = both ? `${b < a ? "−" : "+"}${Math.abs(b - a).toFixed(digits)}` : "";
      for (const text of [write(a, digits), write(b, digits), gain]) row.insertCell().textContent = text;
      i += 1;
    }
  }
}

function headed(body, text, scope) {
  const head = document.createElement("th");
  head.scope = scope;
  head.textContent = text;
  body.insertRow().append(head);
  return head;
}

const viewerData = document.getElementById("viewer-data");
if (viewerData) startViewer(JSON.parse(viewerData.textContent));
