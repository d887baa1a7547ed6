// One video as a strip: its length is the axis, its moments are bars, as tall as their scores.

import { button, element } from "./elements.js";
import { formatTime } from "./format.js";

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
    this.opened = element("ul", "opened", this.li);
    this.preview = element("div", "preview", this.track);
    this.preview.setAttribute("aria-hidden", "true");
    this.preview.hidden = true;
    this.shot = element("img", "", this.preview);
    this.caption = element("span", "", this.preview);
    this.bars = new Map();
  }

  show(moments, video, data) {
    const { first } = video;
    const length = Math.max(video.last, ...moments.map((moment) => moment.end)) - first;
    const placeOf = ({ start, end }) => [(start - first) / length, (end - start) / length];
    this.title.textContent = this.title.title = video.name;
    this.about.textContent = `${moments.length === 1 ? "1 moment" : `${moments.length} moments`}, best ${moments[0].score}`;
    this.ticks.forEach((tick, index) => (tick.textContent = formatTime(first + (length * index) / 4, 0)));
    const wanted = new Set(moments.map((moment) => moment.id));
    for (const [id, bar] of this.bars)
      if (!wanted.has(id)) {
        bar.remove();
        this.bars.delete(id);
      }
    const [low, high] = data.scale;
    const inOrder = [...moments].sort((a, b) => a.start - b.start);
    for (const moment of inOrder) {
      const bar = this.bars.get(moment.id) ?? button("bar", this.track, () => this.choose(bar.moment));
      this.bars.set(moment.id, bar);
      bar.moment = moment;
      const strength = high > low ? (moment.value - low) / (high - low) : 1;
      const [left, width] = placeOf(moment);
      bar.style.left = `${100 * left}%`;
      bar.style.width = `${100 * width}%`;
      bar.style.setProperty("--height", String(LOWEST + (1 - LOWEST) * Math.min(1, Math.max(0, strength))));
      bar.setAttribute("aria-label", `Number ${moment.rank}: ${moment.range} of ${video.name}, score ${moment.score}`);
      bar.setAttribute("aria-expanded", String(moment.id === this.board.open));
      bar.onpointerenter = bar.onfocus = () => this.peek(moment, left + width / 2);
      bar.onpointerleave = bar.onblur = () => (this.preview.hidden = true);
    }
    // In order of time, for the Tab key; a bar that is in order isn't moved, or it would lose the focus.
    inOrder.forEach((moment, index) => {
      const bar = this.bars.get(moment.id);
      const current = this.track.children[index + 1]; // the first child is the preview
      if (current !== bar) this.track.insertBefore(bar, current ?? null);
    });
    const open = moments.find((moment) => moment.id === this.board.open);
    if (open) {
      const card = this.board.card(open);
      if (card.li.parentElement !== this.opened) this.opened.replaceChildren(card.li);
    } else this.opened.replaceChildren();
  }

  choose(moment) {
    this.board.choose(moment);
    this.preview.hidden = true;
  }

  /** Show the best frame of a bar above it. */
  peek(moment, middle) {
    if (moment.id === this.board.open) return; // it is shown below, larger
    if (this.shot.src !== moment.url) this.shot.src = moment.url;
    this.caption.textContent = `${moment.range} · ${moment.score}`;
    this.preview.style.left = `clamp(4.5rem, ${100 * middle}%, calc(100% - 4.5rem))`;
    this.preview.hidden = false;
  }

  remove() {
    this.li.remove();
  }
}
