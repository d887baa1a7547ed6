// Moments as cards, or as bars on one strip per video. Text is only ever set through textContent.

import { Card } from "./card.js";
import { Strip } from "./strip.js";

const boards = new WeakMap();
let count = 0; // a trigger needs a value that changes

class Board {
  constructor(root) {
    this.cardList = root.querySelector(".cards");
    this.stripList = root.querySelector(".strips");
    this.empty = root.querySelector(".empty");
    this.cards = new Map(); // by moment
    this.strips = new Map(); // by video
    this.open = null; // id of the moment shown below its strip
    this.playing = null; // the card that plays: one at a time
    this.group = root.querySelector(".moments");
    this.group.addEventListener("keydown", (event) => event.stopPropagation()); // Streamlit's shortcuts
  }

  update({ data, setTriggerValue }) {
    this.data = data;
    this.act = (kind, { id, video }) => setTriggerValue("action", { kind, id, video, n: `${Date.now()}.${++count}` });
    const inStrips = data.layout === "strips";
    this.cardList.hidden = inStrips || !data.moments.length;
    this.stripList.hidden = !inStrips || !data.moments.length;
    this.cardList.setAttribute("aria-label", data.label);
    this.stripList.setAttribute("aria-label", data.label);
    this.empty.hidden = data.moments.length > 0;
    this.empty.textContent = data.empty;
    if (!data.moments.some((moment) => moment.id === this.open)) this.open = null;
    if (inStrips) {
      this.drawCards([]);
      this.drawStrips();
    } else {
      this.drawStrips([]);
      this.drawCards(data.moments);
    }
  }

  /** Return the card of a moment; one that stays keeps its element, so that nothing flickers and the focus stays. */
  card(moment) {
    const card = this.cards.get(moment.id) ?? new Card(this);
    this.cards.set(moment.id, card);
    card.show(moment, this.data.videos[moment.video], this.data);
    return card;
  }

  drawCards(moments) {
    const wanted = new Set(moments.map((moment) => moment.id));
    for (const [id, card] of this.cards)
      if (!wanted.has(id)) {
        card.remove();
        this.cards.delete(id);
      }
    setChildren(this.cardList, moments.map((moment) => this.card(moment).li));
  }

  drawStrips(moments = this.data.moments) {
    const groups = new Map();
    for (const moment of moments) groups.set(moment.video, [...(groups.get(moment.video) ?? []), moment]);
    for (const [video, strip] of this.strips)
      if (!groups.has(video)) {
        strip.remove();
        this.strips.delete(video);
      }
    const strips = [...groups].map(([video, inVideo]) => {
      const strip = this.strips.get(video) ?? new Strip(this);
      this.strips.set(video, strip);
      strip.show(inVideo, this.data.videos[video], this.data);
      return strip.li;
    });
    setChildren(this.stripList, strips);
  }

  /** Show a moment below its strip and play it; if it is open, close it. */
  choose(moment) {
    this.cards.get(this.open)?.remove();
    this.cards.delete(this.open);
    this.open = this.open === moment.id ? null : moment.id;
    this.drawStrips();
    const card = this.cards.get(this.open);
    card?.toggle();
    card?.li.scrollIntoView({ block: "nearest" });
  }

  /** Make `card` the one that plays, and stop another. */
  setPlaying(card) {
    if (this.playing !== card) this.playing?.unload();
    this.playing = card;
  }

  destroy() {
    for (const card of this.cards.values()) card.remove();
  }
}

/** Make `items` the children of `list`, in order, moving as few as possible. */
function setChildren(list, items) {
  items.forEach((item, index) => {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  while (list.children.length > items.length) list.lastChild.remove();
}

export function mount(root, api) {
  if (!boards.has(root)) boards.set(root, new Board(root));
  boards.get(root).update(api);
}

export function unmount(root) {
  boards.get(root)?.destroy();
  boards.delete(root);
}
