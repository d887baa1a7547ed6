// One video as a strip: its length is the axis, its moments are bars, as tall as their scores.

import { button, element } from "./elements.js";

const LOWEST = 0.3; // height of the weakest bar, as a share of the strip

export class Strip {
  constructor(board) {
    this.board = board;
    this.li = element("li", "strip");
    const head = element("div", "head", this.li);
    this.title = element("span", "title", head);
    this.about = element("span", "about", head);
    this.track = element("div", "track", this.li);
    const ruler = element("div", "ruler", this.li);
    ruler.setAttribute("aria-hidden", "true");
    this.ticks = [0, 1, 2, 3, 4].map(() => element("span", "", ruler));
    this.place = element("ul", "opened", this.li);
    this.preview = element("div", "preview", this.track);
    this.preview.setAttribute("aria-hidden", "true");
    this.preview.hidden = true;
    this.shot = element("img", "", this.preview);
    this.caption = element("span", "", this.preview);
    this.bars = new Map();
  }

  show(hits, video, data) {
    const length = Math.max(video.duration, ...hits.map((hit) => hit.end));
    this.title.textContent = this.title.title = video.name;
    this.about.textContent = `${hits.length === 1 ? "1 moment" : `${hits.length} moments`}, best ${hits[0].score}`;
    this.ticks.forEach((tick, index) => (tick.textContent = clock((length * index) / 4)));
    const wanted = new Set(hits.map((hit) => hit.id));
    for (const [id, bar] of this.bars)
      if (!wanted.has(id)) {
        bar.remove();
        this.bars.delete(id);
      }
    const [low, high] = data.scale;
    const inOrder = [...hits].sort((a, b) => a.start - b.start);
    for (const hit of inOrder) {
      const bar = this.bars.get(hit.id) ?? button("bar", this.track, () => this.choose(bar.hit));
      this.bars.set(hit.id, bar);
      bar.hit = hit;
      const strength = high > low ? (hit.value - low) / (high - low) : 1;
      bar.style.left = `${(100 * hit.start) / length}%`;
      bar.style.width = `${(100 * (hit.end - hit.start)) / length}%`;
      bar.style.setProperty("--height", String(LOWEST + (1 - LOWEST) * Math.min(1, Math.max(0, strength))));
      bar.setAttribute("aria-label", `Number ${hit.rank}: ${hit.range} of ${video.name}, score ${hit.score}`);
      bar.setAttribute("aria-expanded", String(hit.id === this.board.open));
      bar.onpointerenter = bar.onfocus = () => this.peek(hit, length);
      bar.onpointerleave = bar.onblur = () => (this.preview.hidden = true);
    }
    // In order of time, for the Tab key; a bar in its place is left alone, or it would lose the focus.
    inOrder.forEach((hit, index) => {
      const bar = this.bars.get(hit.id);
      const there = this.track.children[index + 1]; // the first child is the preview
      if (there !== bar) this.track.insertBefore(bar, there ?? null);
    });
    const open = hits.find((hit) => hit.id === this.board.open);
    if (open) {
      const card = this.board.card(open);
      if (card.li.parentElement !== this.place) this.place.replaceChildren(card.li);
    } else this.place.replaceChildren();
  }

  choose(hit) {
    this.board.choose(hit);
    this.preview.hidden = true;
  }

  /** Show the best frame of a bar above it. */
  peek(hit, length) {
    if (hit.id === this.board.open) return; // it is shown below, larger
    if (this.shot.src !== hit.url) this.shot.src = hit.url;
    this.caption.textContent = `${hit.range} · ${hit.score}`;
    const middle = (hit.start + hit.end) / 2 / length;
    this.preview.style.left = `clamp(4.5rem, ${100 * middle}%, calc(100% - 4.5rem))`;
    this.preview.hidden = false;
  }

  remove() {
    this.li.remove();
  }
}

function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes >= 60
    ? `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}
