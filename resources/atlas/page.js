// The page: layers, search, order, and the address of what is shown.
"use strict";

(function () {
  const get = (id) => document.getElementById(id);
  const wanted = Number(document.documentElement.dataset.atlases);
  const {atlases} = LDAM;
  if (atlases.length < wanted || atlases.some((atlas) => atlas.format !== 1)) {
    const missing = atlases.length < wanted;
    const what = !missing ? "The atlas was made by another version"
      : atlases.length ? "The other atlas is not where it was" : "The atlas's data are missing";
    get("nothing").hidden = false;
    get("nothing").firstElementChild.textContent = `${what}; write the page again with ldam-studio atlas-page.`;
    get("nothing").lastElementChild.hidden = true;
    if (wanted > 1) get("nothing").append(alone("index.html", "The first atlas alone"));
    return;
  }
  // A link to the page of one atlas.
  function alone(href, text) {
    return LDAM.element("p", {}, LDAM.text(text, "a", {href}));
  }

  for (const atlas of atlases) atlas.sheets.forEach((sheet) => { sheet.count = 0; });
  const {items, matched} = LDAM.itemsOf(atlases);
  for (const item of items) {
    for (const n of item.sides) {
      if (n) n.atlas.sheets[n.sheet].count = Math.max(n.atlas.sheets[n.sheet].count, n.slot + 1);
    }
  }
  const pairs = atlases.length;
  const orders = {...LDAM.ORDERS, ...(pairs > 1 ? {difference: LDAM.DIFFERENCE} : {})};
  const layers = new Map();
  for (const item of items) layers.set(item.layer, (layers.get(item.layer) || 0) + 1);
  let [chosen, found, opened, last, pushed] = ["", [], null, null, false];

  const grid = new LDAM.Grid(get("scroller"), get("grid"), pairs, (item) => {
    pushed = true;
    location.hash = linkOf(item.main.address);
  });
  const closeup = new LDAM.Closeup(get("closeup"), step, closed);

  // Addresses stay readable in links.
  function linkOf(address) {
    return encodeURIComponent(address).replace(/%(3A|2C|40|2F|5B|5D|3D)/g, decodeURIComponent);
  }

  function addressOf(hash) {
    try {
      return decodeURIComponent(hash.slice(1));
    } catch {
      return "";
    }
  }

  function search() {
    const matches = LDAM.matcher(get("search").value, get("state").value);
    found = items.filter((item) => (!chosen || item.layer === chosen) && matches(item));
    const [, order] = orders[get("order").value];
    if (order) found = found.map((each, i) => [each, i]).sort((a, b) => order(a[0], b[0]) || a[1] - b[1]).map(([each]) => each);
    grid.oneLayer = Boolean(chosen);
    grid.show(found, !chosen && !order);
    const all = chosen ? layers.get(chosen) : items.length;
    const said = (count) => count.toLocaleString("en");
    const word = all === 1 ? "neuron" : "neurons";
    get("count").textContent = found.length === all ? `${said(all)} ${word}` : `${said(found.length)} of ${said(all)} ${word}`;
    get("nothing").firstElementChild.textContent = items.length
      ? "No neuron is like that."
      : "No neuron is drawn yet. ldam-studio atlas draws them, and writes this page again.";
    get("nothing").lastElementChild.hidden = !items.length;
    get("nothing").hidden = found.length > 0;
    get("scroller").hidden = found.length === 0;
  }

  function choose(layer) {
    chosen = layer;
    get("layer").value = layer;
    for (const link of get("layers").querySelectorAll("a")) {
      if (link.dataset.layer === layer) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    search();
  }

  // Shows what the address of the page names: a neuron, a layer, or everything.
  function follow() {
    const named = addressOf(location.hash);
    const item = named && items.find((each) => each.sides.some((n) => n && n.address === named));
    if (!item) {
      opened = null;
      if (get("closeup").open) get("closeup").close();
      const layer = layers.has(named) ? named : "";
      if (layer !== chosen || !grid.items.length) choose(layer);
      if (named && !layer) get("count").textContent = `This atlas has no ${named.slice(0, 60)}`;
      return;
    }
    if (!found.includes(item)) {
      get("search").value = get("state").value = "";
      choose("");
    }
    show(item);
  }

  function show(item) {
    opened = last = item;
    const at = found.indexOf(item);
    grid.go(at, false);
    closeup.show(item, at, found.length);
    document.title = `${item.main.address} – ${title}`;
  }

  function step(way) {
    const next = found[found.indexOf(opened) + way];
    if (!next) return;
    history.replaceState(null, "", `#${linkOf(next.main.address)}`);
    show(next);
  }

  function closed() {
    document.title = title;
    if (opened) {
      opened = null;
      if (pushed) history.back();
      else history.replaceState(null, "", chosen ? `#${linkOf(chosen)}` : location.pathname + location.search);
    }
    pushed = false;
    // The browser has given the focus back to where it was before.
    grid.go(Math.max(0, found.indexOf(last)));
  }

  // Fills the head of the page and the list of layers.
  const names = LDAM.names();
  const title = pairs > 1 ? `${names[0]} and ${names[1]}` : names[0];
  document.title = title;
  get("title").replaceChildren(LDAM.text(names[0], "bdi", {class: pairs > 1 ? "first" : ""}));
  if (pairs > 1) get("title").append(" and ", LDAM.text(names[1], "bdi", {class: "second"}));
  atlases.forEach((atlas, side) => {
    const list = LDAM.element("dl");
    for (const [name, value] of [...atlas.about, ...atlas.settings]) {
      list.append(LDAM.text(name, "dt"), LDAM.text(value, "dd"));
    }
    get("about-text").append(LDAM.text(names[side], "h2"), list);
    if (pairs > 1) get("about-text").append(alone(`${atlas.base}index.html`, "This atlas alone"));
  });
  if (matched) get("about-text").append(LDAM.text(matched, "p"));
  get("about").hidden = false;
  const listed = [["", "All layers", items.length], ...[...layers].map(([name, count]) => [name, name, count])];
  const list = LDAM.element("ul");
  for (const [layer, name, count] of listed) {
    const link = LDAM.element("a", {href: `#${linkOf(layer)}`});
    link.dataset.layer = layer;
    const whole = LDAM.text(name, "bdi", {dir: "ltr"});
    link.append(LDAM.element("span", {class: "end cut", title: name}, whole), LDAM.text(count.toLocaleString("en"), "span", {class: "muted"}));
    list.append(LDAM.element("li", {}, link));
    get("layer").append(LDAM.element("option", {value: layer}, name));
  }
  get("layers").append(list);
  for (const [value, [name]] of Object.entries(orders)) {
    get("order").append(LDAM.element("option", {value}, name));
  }
  for (const id of ["search", "layer", "state", "order"]) get(id).disabled = false;

  let pending = 0;
  get("search").addEventListener("input", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(search);
  });
  get("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      grid.go(0);
    }
  });
  for (const id of ["state", "order"]) get(id).addEventListener("change", search);
  get("layer").addEventListener("change", () => { location.hash = linkOf(get("layer").value); });
  get("nothing").lastElementChild.addEventListener("click", () => {
    get("search").value = get("state").value = "";
    search();
    get("search").focus();
  });
  // What lies above the neurons goes when it is left.
  const about = get("about");
  about.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !about.open) return;
    about.open = false;
    about.firstElementChild.focus();
  });
  for (const kind of ["focusin", "pointerdown"]) {
    document.addEventListener(kind, (event) => {
      if (!about.contains(event.target)) about.open = false;
    });
  }
  document.querySelector("[data-skip]").addEventListener("click", (event) => {
    event.preventDefault();
    grid.go(grid.active);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !get("closeup").open && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      get("search").select();
      get("search").focus();
    }
  });
  window.addEventListener("hashchange", follow);
  choose("");
  follow();
})();
