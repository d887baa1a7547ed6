// The time and each label's score, beside the video for the playhead and beside the pointer.

import { formatLength, formatScore, formatTime } from "./format.js";
import { after } from "./scene.js";

const TIP_ROWS = 8;
const SEEN_S = 1; // an audience sees a label light up for at least so long

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

// Where a score lies on its side's axis, 0 to 1.
function share({ axis: { low, high } }, score) {
  return Math.min(1, Math.max(0, (score - low) / (high - low || 1)));
}

export class Readout {
  // commands: choose(row), hide(id)
  constructor(find, commands) {
    this.now = find(".now");
    this.length = find(".length");
    this.list = find(".labels");
    this.note = find(".note");
    this.marked = find(".marked");
    this.differences = find(".differences");
    this.commands = commands;
    this.rows = [];
    this.scene = null;
  }

  // New labels, colours or thresholds: rows are kept where the label is the same, and with them the focus. `presented`
  // is {lines: label -> [words, answer, more], note} for an audience, else null.
  build(scene, presented = null) {
    this.scene = scene;
    this.presented = presented;
    put(this.note, presented?.note ?? "");
    const before = new Map(this.rows.map((row) => [row.id, row]));
    this.rows = (scene?.labels ?? []).map((label, index) => {
      const row = before.get(label.id) ?? this.makeRow(label);
      before.delete(label.id);
      row.index = index;
      row.side = label.side;
      row.element.style.setProperty("--colour", label.colour);
      row.element.style.setProperty("--swatch", label.swatch ?? label.colour);
      row.element.classList.toggle("rest", Boolean(label.rest));
      row.rest.hidden = !label.rest;
      const threshold = label.own ?? label.side.shared;
      row.rule.hidden = threshold === null;
      if (threshold !== null) row.rule.style.left = `${share(label.side, threshold) * 100}%`;
      const line = presented?.lines[label.name];
      row.said.hidden = !line;
      if (line) [...row.said.children].forEach((part, place) => put(part, line[place]));
      return row;
    });
    for (const { element } of before.values()) element.remove();
    this.rows.forEach(({ element }, index) => {
      if (this.list.children[index] !== element) this.list.insertBefore(element, this.list.children[index] ?? null);
    });
    this.list.hidden = !this.rows.length;
  }

  makeRow({ id, name, side }) {
    const eye = make("button", "eye");
    eye.type = "button";
    eye.title = `Show or hide the line of ${id}`;
    eye.setAttribute("aria-label", eye.title);
    const fill = make("i", "fill");
    const rule = make("i", "rule");
    const score = make("span", "score");
    const cosine = make("span", "cosine");
    cosine.title = "Cosine, before smoothing";
    const rest = make("span", "", "rest: "); // a background stands for all that isn't looked for
    const words = make("span", "name", ...(side.name ? [make("b", "side", side.name)] : []), rest, name);
    const said = make("span", "said", ...["words", "answer", "more"].map((part) => make("span", part)));
    const pick = make("button", "pick", words, make("span", "meter", fill, rule), score, cosine, said);
    pick.type = "button";
    pick.title = `${id}: up and down go through its segments`;
    const element = make("li", "label", eye, pick);
    const row = { id, side, index: 0, element, eye, pick, rest, fill, rule, score, cosine, said };
    eye.onclick = () => this.commands.hide(id);
    pick.onclick = () => this.commands.choose(row.index);
    return row;
  }

  // Which label is chosen and which are hidden.
  showState({ chosen, hidden }) {
    this.rows.forEach(({ id, element, pick, eye }, index) => {
      pick.setAttribute("aria-pressed", String(index === chosen));
      eye.setAttribute("aria-pressed", String(!hidden.has(id)));
      element.classList.toggle("hidden-line", hidden.has(id));
    });
  }

  show(time, end) {
    put(this.now, formatTime(time));
    put(this.length, ` / ${formatTime(end)}`);
    const { scene } = this;
    if (!scene?.times.length) return;
    if (!this.presented) this.rank(time);
    for (const { index, side, element, fill, score, cosine } of this.rows) {
      const value = scene.scoreAt(index, time);
      put(score, formatScore(value));
      const plain = scene.cosineAt(index, time);
      cosine.hidden = plain === null;
      put(cosine, plain === null ? "" : `cos ${formatScore(plain)}`);
      fill.style.transform = `scaleX(${share(side, value).toFixed(4)})`;
      element.classList.toggle("on", scene.segmentAt(index, time) >= 0 || (this.presented !== null && this.justLeft(index, time)));
    }
  }

  // Whether a segment shorter than is seen ended just before `time`.
  justLeft(row, time) {
    const { start } = this.scene.segments[row];
    const from = start[after(start, time) - 1];
    return from !== undefined && time < from + SEEN_S;
  }

  // The winner of each side first, even one that isn't looked for; all others of that kind last.
  rank(time) {
    const { scene } = this;
    const { sides } = scene;
    const of = this.rows.map((row) => {
      const place = sides.indexOf(row.side) * 3 + (scene.segmentAt(row.index, time) >= 0 ? 0 : row.rest.hidden ? 1 : 2);
      return { row, place, score: scene.scoreAt(row.index, time) };
    });
    of.sort((a, b) => a.place - b.place || b.score - a.score);
    of.forEach(({ row }, order) => { row.element.style.order = order; });
  }

  showMark([start, end]) {
    let words = "";
    if (start !== null && end !== null) {
      words = `Marked ${formatTime(start, 2)} – ${formatTime(end, 2)} (${formatLength(end - start)})`;
    } else if (start !== null) words = `Start marked at ${formatTime(start, 2)}; “]” marks the end`;
    else if (end !== null) words = `End marked at ${formatTime(end, 2)}; “[” marks the start`;
    this.marked.hidden = !words;
    put(this.marked.firstElementChild, words);
  }

  // In a comparison: how many differences there are, between the buttons that go to them.
  showDifferences(scene) {
    this.differences.hidden = !scene?.differences;
    const count = scene?.differences?.start.length ?? 0;
    const words = count === 1 ? "1 difference" : `${count.toLocaleString("en")} differences`;
    put(this.differences.querySelector("span"), count ? words : "No differences");
    for (const button of this.differences.querySelectorAll("button")) button.disabled = !count;
  }

  // One line for screen readers.
  spoken(time) {
    const { scene } = this;
    if (!scene?.times.length) return formatTime(time);
    const present = this.rows.filter(({ index }) => scene.segmentAt(index, time) >= 0);
    const say = ({ id, index }) => `${id} ${formatScore(scene.scoreAt(index, time))}`;
    const [found, rest] = [true, false].map((found) => present.filter((row) => row.rest.hidden === found).map(say));
    const words = [found.join(", ") || "no label", ...rest.map((background) => `rest: ${background}`)];
    return [formatTime(time), ...words].join(", ");
  }
}

export class Tip {
  constructor(element, film) {
    this.element = element;
    this.film = film;
    this.picture = element.querySelector("img");
    this.time = element.querySelector(".tip-time");
    this.list = element.querySelector(".tip-labels");
    this.picture.onload = () => this.picture.classList.add("loaded");
  }

  hide() {
    this.element.hidden = true;
  }

  // At `x` of a lane area `width` wide.
  show(scene, time, x, width) {
    this.element.hidden = false;
    const fine = scene?.step && scene.step < 0.1 ? 2 : 1;
    const lost = scene?.isGap(time) ?? false;
    put(this.time, `${formatTime(time, fine)}${lost ? ", no frames" : ""}`);
    this.picture.hidden = lost || !scene?.thumbs || !scene.times.length;
    if (scene?.times.length && !lost) {
      if (scene.thumbs) this.showPicture(this.film.url(scene, scene.sampleAt(time)));
      this.showScores(scene, time);
    } else this.list.replaceChildren();
    const own = this.element.offsetWidth;
    const left = x + 14 + own <= width ? x + 14 : x - 14 - own;
    this.element.style.transform = `translateX(${Math.round(Math.max(0, left))}px)`;
  }

  showPicture(url) {
    if (this.url === url) return;
    this.url = url;
    clearTimeout(this.timer);
    const load = () => {
      if (this.url === url && this.picture.getAttribute("src") !== url) {
        this.picture.classList.remove("loaded");
        this.picture.src = url;
      }
    };
    if (this.film.loaded(url)) load();
    else this.timer = setTimeout(load, 60); // a pointer that only passes requests nothing
  }

  showScores(scene, time) {
    const rows = scene.labels.slice(0, TIP_ROWS);
    while (this.list.children.length > rows.length) this.list.lastElementChild.remove();
    while (this.list.children.length < rows.length) {
      this.list.append(make("li", "tip-label", make("i", "swatch"), make("span", "name"), make("span", "score")));
    }
    rows.forEach((label, row) => {
      const item = this.list.children[row];
      const [swatch, name, score] = item.children;
      swatch.style.background = label.swatch ?? label.colour;
      put(name, label.id);
      put(score, formatScore(scene.scoreAt(row, time)));
      item.classList.toggle("on", scene.segmentAt(row, time) >= 0);
    });
  }
}
