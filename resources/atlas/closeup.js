// What a tile shows and says, and a neuron in large: its average, samples and what is known of it.
"use strict";

const signed = (value) => (value > 0 ? "+" : "") + LDAM.number(value);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// The class of a neuron, if it has one; that of a digit would be taken for its number.
function labelOf({label, address}) {
  if (label === address) return "";
  return /^\d+$/.test(label) ? `class ${label}` : label;
}

// What a screen reader says of an item.
LDAM.words = function (item) {
  const [one, other] = item.sides;
  const label = labelOf(item.main) && `, ${labelOf(item.main)}`;
  const said = (n) => `activation ${LDAM.number(n.activation)}, ${LDAM.STATES[n.state]}`
    + `, ${plural(n.modes, "mode")}`;
  if (item.sides.length === 1) return `${one.address}${label}, ${said(one)}`;
  const told = item.sides.map((n, side) => {
    const name = side ? "second" : "first";
    return n ? `${name}: ${said(n)}` : `${name}: not in this atlas`;
  });
  if (item.difference !== null) told.push(`difference ${signed(item.difference)}`);
  const twice = one && other && one.address !== other.address ? ` and ${other.address}` : "";
  return `${item.main.address}${twice}${label}; ${told.join("; ")}`;
};

// What a tile has inside, which a screen reader need not read.
LDAM.tile = function (item, side, whole) {
  const pictures = LDAM.element("div", {class: "pictures", "aria-hidden": "true"});
  for (const neuron of item.sides) {
    const frame = LDAM.element("div", {class: "frame"});
    frame.append(neuron ? LDAM.thumbnail(neuron, side) : LDAM.text("not in this atlas", "span"));
    if (neuron && neuron.state) frame.classList.add(neuron.state === 2 ? "silent" : "unsettled");
    pictures.append(frame);
  }
  const name = whole
    ? LDAM.element("span", {class: "name end cut"}, LDAM.text(item.main.address, "bdi", {dir: "ltr"}))
    : LDAM.text(item.main.short, "bdi", {class: "name cut"});
  const values = item.sides.map((n) => (n ? LDAM.number(n.activation) : "–")).join(" · ");
  const value = LDAM.text(values, "span", {class: "value"});
  const first = LDAM.element("div", {class: "line", "aria-hidden": "true"}, name);
  const second = LDAM.element("div", {class: "line muted", "aria-hidden": "true"}, remark(item.main));
  // A whole address needs the first line for itself.
  (whole ? second : first).append(value);
  if (item.difference !== null) {
    (whole ? first : second).append(LDAM.text(signed(item.difference), "span", {class: "value"}));
  }
  return [pictures, first, second];
};

// What the second line of a tile says: the label, else what is unusual.
function remark(neuron) {
  const state = ["", "not converged", "no gradient"][neuron.state];
  const modes = neuron.modes > 1 ? plural(neuron.modes, "mode") : "";
  return LDAM.text(labelOf(neuron) || state || modes, "bdi", {class: "cut"});
}

LDAM.Closeup = class {
  // `step` is called with 1 or -1 to show a neighbour, `closed` after it was closed.
  constructor(dialog, step, closed) {
    Object.assign(this, {dialog, step});
    dialog.addEventListener("close", closed);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => {
      const way = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      step(way);
    });
  }

  // `at` is the item's place among so many.
  show(item, at, count) {
    const {dialog} = this;
    const {main} = item;
    const title = LDAM.element("h2", {id: "closeup-title", tabindex: "-1"});
    title.append(LDAM.text(main.address));
    if (labelOf(main)) title.append(" ", LDAM.text(labelOf(main), "bdi", {class: "label"}));
    const buttons = LDAM.element("div", {class: "buttons"});
    const button = (name, sign, act, able = true) => {
      const made = LDAM.element("button", {type: "button", "aria-label": name, title: name}, sign);
      made.disabled = !able;
      made.addEventListener("click", act);
      buttons.append(made);
    };
    const place = `${(at + 1).toLocaleString("en")} of ${count.toLocaleString("en")}`;
    buttons.append(LDAM.text(place, "span", {class: "muted"}));
    button("Previous neuron", "‹", () => this.step(-1), at > 0);
    button("Next neuron", "›", () => this.step(1), at < count - 1);
    button("Close", "×", () => dialog.close());
    const head = LDAM.element("div", {class: "head"}, title, buttons);
    const panels = LDAM.element("div", {class: "panels"});
    item.sides.forEach((n, side) => panels.append(panel(n, side, item)));
    dialog.replaceChildren(head, panels);
    if (!dialog.open) dialog.showModal();
    title.focus({preventScroll: true});
    dialog.scrollTop = 0;
  }
};

// One neuron in large; with two atlases there are two of them.
function panel(neuron, side, item) {
  const made = LDAM.element("section", {class: "panel"});
  if (item.sides.length > 1) {
    const name = LDAM.names()[side];
    const heading = LDAM.text(name, "h3", {class: side ? "second" : "first"});
    if (neuron && neuron.address !== item.main.address) heading.append(`, ${neuron.address}`);
    made.append(heading);
  }
  if (!neuron) {
    made.append(LDAM.text("This neuron is not in this atlas.", "p", {class: "muted"}));
    return made;
  }
  const parts = LDAM.element("div", {class: "parts"}, average(neuron));
  // Four of them fit beside each other, also on the screen of a telephone.
  const room = Math.floor((window.innerWidth - 70) / 4);
  const samples = LDAM.samples(neuron, Math.min(item.sides.length > 1 ? 72 : 96, room));
  const rest = LDAM.element("div", {class: "rest"});
  if (samples.length) {
    const what = samples.length > 1 ? `Last samples of ${samples.length} chains` : "Last sample";
    rest.append(LDAM.text(what, "h4"), LDAM.element("div", {class: "samples"}, ...samples));
  }
  rest.append(facts(neuron, item));
  parts.append(rest);
  made.append(parts);
  return made;
}

function average(neuron) {
  const picture = LDAM.element("img", {
    class: "average", alt: `Average of ${neuron.address}, ${LDAM.STATES[neuron.state]}`,
  });
  const box = LDAM.element("div", {class: "large"}, picture);
  picture.addEventListener("load", () => {
    const longest = Math.max(picture.naturalWidth, picture.naturalHeight);
    const room = box.clientWidth;
    // Whole multiples of what was sampled keep its pixels square.
    const zoom = neuron.atlas.sheets[neuron.sheet].cells[2];
    const scale = Math.floor(room / (longest / zoom)) / zoom || room / longest;
    picture.style.width = `${picture.naturalWidth * scale}px`;
    picture.classList.toggle("pixels", scale > 1);
  });
  picture.addEventListener("error", () => {
    box.replaceChildren(LDAM.thumbnail(neuron, 224),
      LDAM.text("The file of this neuron is not there; this is its small picture.", "p"));
  });
  picture.src = LDAM.fileOf(neuron);
  return box;
}

function facts(neuron, item) {
  const rows = [["Activation", LDAM.number(neuron.activation)]];
  if (item.difference !== null && neuron.side === 1) {
    rows.push(["Difference", `${signed(item.difference)} against the first`]);
  }
  rows.push(
    ["State", LDAM.STATES[neuron.state]],
    ["Steps", neuron.steps.toLocaleString("en")],
    ["Modes", String(neuron.modes)],
  );
  if (neuron.agreement !== null) {
    rows.push(["Agreement of chains", `${LDAM.minus(neuron.agreement.toFixed(2))}, where 1 is alike`]);
  }
  rows.push(["Shown", `average of chain ${neuron.chain + 1}`]);
  const list = LDAM.element("dl");
  for (const [name, value] of rows) list.append(LDAM.text(name, "dt"), LDAM.text(value, "dd"));
  const link = LDAM.text("Picture with its recipe", "a", {href: LDAM.fileOf(neuron), target: "_blank"});
  return LDAM.element("div", {class: "facts"}, list, LDAM.element("p", {}, link));
}
