// The grid of neurons, of which only the rows in view exist, and moving through it by keys.
"use strict";

LDAM.Grid = class {
  // `pairs` is the number of atlases; `open` is called with an item to enlarge.
  constructor(scroller, grid, pairs, open) {
    Object.assign(this, {scroller, grid, pairs, open});
    this.items = [];
    this.rows = [];
    this.shown = new Map();
    this.active = 0;
    this.drawn = 0;
    scroller.addEventListener("scroll", () => this.draw(), {passive: true});
    grid.addEventListener("keydown", (event) => this.key(event));
    grid.addEventListener("click", (event) => this.click(event));
    grid.addEventListener("focusin", (event) => this.focused(event));
    new ResizeObserver(() => this.resize()).observe(scroller);
  }

  show(items, headings) {
    Object.assign(this, {items, headings, active: 0});
    this.lay();
    this.scroller.scrollTop = 0;
    this.draw();
  }

  resize() {
    if (this.scroller.clientWidth === this.width) return;
    const first = this.rows[this.at(this.scroller.scrollTop)];
    this.lay();
    if (first) this.scroller.scrollTop = this.rows[this.rowOf(first.from)].top;
    this.draw();
  }

  // Cuts the items into rows: those of each layer begin a new one below a heading.
  lay() {
    for (const element of this.shown.values()) element.remove();
    this.shown.clear();
    this.width = this.scroller.clientWidth;
    const narrow = this.width < 480;
    const [gap, edge] = narrow ? [8, 8] : [12, 20];
    const least = (narrow ? 104 : 112) * this.pairs + (this.pairs - 1) * 4;
    const room = this.width - 2 * edge;
    this.columns = Math.max(1, Math.floor((room + gap) / (least + gap)));
    this.tile = Math.floor((room - gap * (this.columns - 1)) / this.columns);
    const each = Math.floor((this.tile - (this.pairs - 1) * 4) / this.pairs);
    this.side = Math.min(each, this.pairs > 1 ? 160 : 128);
    const height = this.side + 46;
    this.rows = [];
    let top = 8;
    for (let from = 0; from < this.items.length;) {
      const layer = this.items[from].layer;
      let end = this.items.length;
      if (this.headings) {
        end = from + 1;
        while (end < this.items.length && this.items[end].layer === layer) end++;
        this.rows.push({top, height: 44, from, to: from, layer, count: end - from});
        top += 44;
      }
      while (from < end) {
        const to = Math.min(from + this.columns, end);
        this.rows.push({top, height, from, to});
        top += height + gap;
        from = to;
      }
    }
    const style = this.grid.style;
    style.height = `${top + 16}px`;
    style.setProperty("--columns", this.columns);
    style.setProperty("--gap", `${gap}px`);
    style.setProperty("--edge", `${edge}px`);
    style.setProperty("--side", `${this.side}px`);
    this.grid.setAttribute("aria-rowcount", this.rows.length);
    this.grid.setAttribute("aria-colcount", this.columns);
  }

  // The row at a height, by bisection.
  at(y) {
    let [low, high] = [0, this.rows.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle].top <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  // The row of an item.
  rowOf(index) {
    let [low, high] = [0, this.rows.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].to > index) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  draw() {
    if (!this.rows.length) return;
    const {scrollTop, clientHeight} = this.scroller;
    // Rows that are about to come into view are made ahead, but not while whole screens fly past.
    const ahead = Math.abs(scrollTop - this.drawn) > clientHeight ? 0 : 2;
    this.drawn = scrollTop;
    const first = Math.max(0, this.at(scrollTop) - ahead);
    const last = Math.min(this.rows.length - 1, this.at(scrollTop + clientHeight) + ahead);
    // The row that has the focus stays, so that keys go on from there.
    const kept = this.rowOf(this.active);
    for (const [number, element] of this.shown) {
      if ((number < first || number > last) && number !== kept) {
        element.remove();
        this.shown.delete(number);
      }
    }
    for (let number = first; number <= last; number++) this.make(number);
    this.make(kept);
  }

  make(number) {
    if (this.shown.has(number)) return;
    const row = this.rows[number];
    const made = LDAM.element("div", {role: "row", "aria-rowindex": number + 1, class: "row"});
    made.style.transform = `translateY(${row.top}px)`;
    if (row.layer !== undefined) made.append(this.heading(row));
    for (let index = row.from; index < row.to; index++) {
      made.append(this.tileOf(index, index - row.from));
    }
    // In the order of the rows, which is that of a screen reader.
    const after = [...this.shown.keys()].filter((other) => other > number);
    const next = after.length ? this.shown.get(Math.min(...after)) : null;
    this.grid.insertBefore(made, next);
    this.shown.set(number, made);
  }

  heading(row) {
    const count = `${row.count.toLocaleString("en")} ${row.count === 1 ? "neuron" : "neurons"}`;
    const cell = LDAM.element("div", {role: "rowheader", class: "heading"});
    cell.setAttribute("aria-colspan", this.columns);
    // Two layers that are matched by their order have two names.
    const names = new Set(this.items[row.from].sides.filter(Boolean).map((n) => n.layer));
    cell.append(LDAM.text([...names].join(" and ")), LDAM.text(count, "span"));
    return cell;
  }

  tileOf(index, column) {
    const item = this.items[index];
    const words = LDAM.words(item);
    const tile = LDAM.element("div", {
      role: "gridcell", class: "tile", "aria-colindex": column + 1,
      "aria-label": words, tabindex: index === this.active ? 0 : -1,
    });
    tile.dataset.index = index;
    tile.append(...LDAM.tile(item, this.side, !this.headings && !this.oneLayer));
    // What is cut short in the tile is whole where the mouse rests.
    tile.firstChild.title = words;
    return tile;
  }

  // Moves to an item, which is scrolled into view and gets the focus.
  go(index, focus = true) {
    if (!this.items.length) return;
    index = Math.max(0, Math.min(this.items.length - 1, index));
    const before = this.find(this.active);
    if (before) before.tabIndex = -1;
    this.active = index;
    const row = this.rows[this.rowOf(index)];
    const {scrollTop, clientHeight} = this.scroller;
    if (row.top < scrollTop) this.scroller.scrollTop = row.top - (this.headings ? 48 : 8);
    else if (row.top + row.height > scrollTop + clientHeight) {
      this.scroller.scrollTop = row.top + row.height - clientHeight + 12;
    }
    this.draw();
    const tile = this.find(index);
    tile.tabIndex = 0;
    if (focus) tile.focus({preventScroll: true});
  }

  find(index) {
    return this.grid.querySelector(`[data-index="${index}"]`);
  }

  key(event) {
    if (event.ctrlKey && !["Home", "End"].includes(event.key)) return;
    if (event.altKey || event.metaKey) return;
    const row = this.rows[this.rowOf(this.active)];
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / (row.height + 12)) - 1);
    const moves = {
      ArrowLeft: () => this.active - 1,
      ArrowRight: () => this.active + 1,
      ArrowUp: () => this.vertical(-1),
      ArrowDown: () => this.vertical(1),
      PageUp: () => this.vertical(-page),
      PageDown: () => this.vertical(page),
      Home: () => 0,
      End: () => this.items.length - 1,
    };
    if (event.key === "Enter" || event.key === " ") this.open(this.items[this.active]);
    else if (moves[event.key]) this.go(moves[event.key]());
    else return;
    event.preventDefault();
  }

  // The item so many rows of tiles below, in the same column if that row has it.
  vertical(rows) {
    const from = this.rowOf(this.active);
    const column = this.active - this.rows[from].from;
    const way = Math.sign(rows);
    let [number, left] = [from, Math.abs(rows)];
    for (let next = from + way; left > 0 && this.rows[next]; next += way) {
      if (this.rows[next].layer !== undefined) continue;
      number = next;
      left--;
    }
    const {from: first, to} = this.rows[number];
    return Math.min(first + column, to - 1);
  }

  click(event) {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    this.go(Number(tile.dataset.index));
    this.open(this.items[this.active]);
  }

  focused(event) {
    const tile = event.target.closest(".tile");
    if (!tile || Number(tile.dataset.index) === this.active) return;
    this.go(Number(tile.dataset.index));
  }
};
