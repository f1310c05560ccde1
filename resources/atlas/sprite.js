// Elements, and pictures that are cut out of sprite sheets.
"use strict";

LDAM.element = function (name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

// A part of a text that may be written from right to left.
LDAM.text = (text, name = "bdi", attributes = {}) => LDAM.element(name, attributes, text);

function address(atlas, ...parts) {
  return atlas.base + parts.map(encodeURIComponent).join("/");
}

LDAM.fileOf = (neuron) =>
  address(neuron.atlas, neuron.atlas.sheets[neuron.sheet].folder, neuron.file);

// Lets an element show a cell of a sheet in a square of `side` pixels.
function cut(element, url, [width, height, zoom], columns, slot, side) {
  let scale = side / Math.max(width, height);
  // Pixels that were enlarged stay squares of one size.
  if (zoom > 1 && scale > 1) scale = Math.floor(scale);
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const style = element.style;
  style.width = `${w}px`;
  style.height = `${h}px`;
  style.backgroundImage = `url("${url}")`;
  style.backgroundSize = `${columns * w}px auto`;
  style.backgroundPosition = `${-(slot % columns) * w}px ${-Math.floor(slot / columns) * h}px`;
  element.classList.toggle("pixels", zoom > 1);
  return element;
}

LDAM.thumbnail = function (neuron, side) {
  const {atlas} = neuron;
  const sheet = atlas.sheets[neuron.sheet];
  const columns = Math.min(atlas.columns, sheet.count);
  const url = address(atlas, "index+files", sheet.file);
  const picture = LDAM.element("div", {class: "picture"});
  return cut(picture, url, sheet.cells, columns, neuron.slot, side);
};

// The last samples of a neuron's chains, each in a square of `side` pixels.
LDAM.samples = function (neuron, side) {
  const {atlas} = neuron;
  const strip = atlas.sheets[neuron.sheet].strips[Math.floor(neuron.slot / atlas.perStrip)];
  if (!strip || !neuron.samples) return [];
  const [file, width, height, zoom] = strip;
  const row = neuron.slot % atlas.perStrip;
  return Array.from({length: neuron.samples}, (_, chain) => {
    const picture = LDAM.element("div", {
      class: "picture", role: "img", "aria-label": `Last sample of chain ${chain + 1}`,
    });
    const url = address(atlas, "index+files", file);
    const cell = [width / neuron.samples, height, zoom];
    return cut(picture, url, cell, neuron.samples, row * neuron.samples + chain, side);
  });
};
