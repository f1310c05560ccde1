// What is known of the neurons: the atlases' data, searching and ordering it.
"use strict";

const LDAM = {atlases: []};

// Called by each atlas's data.js. What is in there comes from files of strangers: it is only ever
// shown as text.
LDAM.add = function (data) {
  const source = document.currentScript.getAttribute("src");
  LDAM.atlases.push({...data, base: source.slice(0, source.lastIndexOf("index+files/"))});
};

// The atlases' names. Those of one network are told apart by the first thing in which they differ,
// such as their weights or a setting.
LDAM.names = function () {
  const names = LDAM.atlases.map((atlas) => atlas.name || "Atlas");
  if (new Set(names).size === names.length) return names;
  const told = LDAM.atlases.map((atlas) => new Map([...atlas.about, ...atlas.settings]));
  const [one, other] = told;
  const apart = [...one.keys(), ...other.keys()].find((key) => one.get(key) !== other.get(key));
  return names.map((name, side) => {
    if (apart === undefined) return `${name} (${side ? "second" : "first"})`;
    const value = told[side].get(apart) || "as usual";
    return `${name} (${apart === "weights" ? value.slice(0, 6) : `${apart} ${value}`})`;
  });
};

LDAM.STATES = ["converged", "not converged", "no gradient, the picture is noise"];

LDAM.address = (layer, neuron) => (typeof neuron === "number" ? `${layer}:${neuron}` : neuron);

// A number with three digits, or more where it is large.
LDAM.number = function (value) {
  const size = Math.abs(value);
  const text = size >= 1000 && size < 1e6 ? value.toFixed(0) : value.toPrecision(3);
  return LDAM.minus(text);
};
LDAM.minus = (text) => text.replaceAll("-", "\u2212");

// One object for each neuron of an atlas, from columns that may have one value for all.
LDAM.neuronsOf = function (atlas, side) {
  const found = [];
  atlas.layers.forEach((layer, at) => {
    const value = (name, i) => (layer[name].length === 1 ? layer[name][0] : layer[name][i]);
    for (let i = 0; i < layer.count; i++) {
      const neuron = value("neuron", i);
      found.push({
        atlas, side, at, layer: layer.name,
        address: LDAM.address(layer.name, neuron),
        short: typeof neuron === "number" ? String(neuron) : neuron,
        label: value("label", i), activation: value("activation", i), state: value("state", i),
        steps: value("steps", i), chain: value("chain", i), modes: value("modes", i),
        agreement: value("agreement", i), samples: value("samples", i), file: value("file", i),
        sheet: value("sheet", i), slot: value("slot", i),
      });
    }
  });
  return found;
};

// The items of the grid: a neuron, or with two atlases the pair of neurons that belong together.
LDAM.itemsOf = function (atlases) {
  const [first, second] = atlases.map(LDAM.neuronsOf);
  if (!second) return {items: first.map((neuron) => item([neuron])), matched: ""};
  const layers = atlases.map((atlas) => atlas.layers.map((layer) => layer.name));
  const shared = layers[0].filter((name) => layers[1].includes(name));
  // Without any name in common, the first layer belongs to the first, and so on.
  const key = shared.length ? (n) => n.address : (n) => `${n.at}:${n.short}`;
  const others = new Map(second.map((neuron) => [key(neuron), neuron]));
  const items = [];
  for (const neuron of first) {
    const other = others.get(key(neuron)) || null;
    if (other) others.delete(key(neuron));
    items.push(item([neuron, other]));
  }
  for (const neuron of others.values()) items.push(item([null, neuron]));
  const matched = shared.length
    ? "Neurons with the same address are beside each other."
    : "The layers of the two networks have other names, so that they are matched by their order.";
  return {items, matched};
};

function item(sides) {
  const main = sides[0] || sides[1];
  const [one, other] = sides;
  return {
    sides, main, layer: main.layer,
    text: sides.map((n) => (n ? `${n.address}\n${n.label}` : "")).join("\n").toLowerCase(),
    difference: one && other ? other.activation - one.activation : null,
  };
}

const COMPARED = /^(activation|modes|agreement|steps|difference)(<=|>=|<|>|=)([+-]?[\d.]+(?:e[+-]?\d+)?)$/;
const RELATIONS = {
  "<": (a, b) => a < b, ">": (a, b) => a > b, "=": (a, b) => a === b,
  "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
};

// The function that says whether an item is found by what a person typed.
LDAM.matcher = function (typed, state) {
  const words = typed.toLowerCase().replace(/\s*([<>]=?|=)\s*/g, "$1").split(/\s+/).filter(Boolean);
  const tests = words.map((word) => {
    const parts = COMPARED.exec(word);
    if (!parts || Number.isNaN(Number(parts[3]))) return (each) => each.text.includes(word);
    const [, name, relation, value] = parts;
    const holds = (found) => found !== null && RELATIONS[relation](found, Number(value));
    if (name === "difference") return (each) => holds(each.difference);
    return (each) => each.sides.some((n) => n && holds(n[name]));
  });
  if (state) tests.push((each) => each.sides.some((n) => n && n.state === Number(state)));
  return (each) => tests.every((test) => test(each));
};

const by = (value) => (one, other) => {
  const [a, b] = [value(one), value(other)];
  if (a === null || b === null) return (a === null) - (b === null);
  return a - b;
};
LDAM.ORDERS = {
  number: ["By number", null],
  highest: ["Highest activation", by((each) => -each.main.activation)],
  lowest: ["Lowest activation", by((each) => each.main.activation)],
  modes: ["Most modes", by((each) => -each.main.modes)],
  agreement: ["Least agreement of chains", by((each) => each.main.agreement)],
  state: ["Not converged first", by((each) => [2, 0, 1][each.main.state])],
};
LDAM.DIFFERENCE = [
  "Largest difference",
  by((each) => (each.difference === null ? null : -Math.abs(each.difference))),
];
