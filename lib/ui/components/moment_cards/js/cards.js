// Moments as cards, or as bars on a strip for each video. Text only ever goes in through textContent.

import { Card } from "./card.js";
import { Strip } from "./strip.js";

const boards = new WeakMap();
let count = 0; // a trigger needs a value that changes

class Board {
  constructor(root) {
    this.cardList = root.querySelector(".cards");
    this.stripList = root.querySelector(".strips");
    this.empty = root.querySelector(".empty");
    this.cards = new Map(); // by hit
    this.strips = new Map(); // by video
    this.open = null; // the hit shown below its strip
    this.playing = null; // the card that plays: one at a time
    this.group = root.querySelector(".hits");
    this.group.addEventListener("keydown", (event) => event.stopPropagation()); // Streamlit's shortcuts
  }

  update({ data, setTriggerValue }) {
    this.data = data;
    this.deed = (kind, hit) => setTriggerValue("deed", { kind, id: hit.id, video: hit.video, n: `${Date.now()}.${++count}` });
    const inStrips = data.layout === "strips";
    this.cardList.hidden = inStrips || !data.hits.length;
    this.stripList.hidden = !inStrips || !data.hits.length;
    this.cardList.setAttribute("aria-label", data.label);
    this.stripList.setAttribute("aria-label", data.label);
    this.empty.hidden = data.hits.length > 0;
    this.empty.textContent = data.empty;
    if (!data.hits.some((hit) => hit.id === this.open)) this.open = null;
    if (inStrips) {
      this.drawCards([]);
      this.drawStrips();
    } else {
      this.drawStrips([]);
      this.drawCards(data.hits);
    }
  }

  /** Return the card of a hit: one that stays keeps its element, so that nothing blinks and the focus isn't lost. */
  card(hit) {
    const card = this.cards.get(hit.id) ?? new Card(this);
    this.cards.set(hit.id, card);
    card.show(hit, this.data.videos[hit.video], this.data);
    return card;
  }

  drawCards(hits) {
    const wanted = new Set(hits.map((hit) => hit.id));
    for (const [id, card] of this.cards)
      if (!wanted.has(id)) {
        card.remove();
        this.cards.delete(id);
      }
    place(this.cardList, hits.map((hit) => this.card(hit).li));
  }

  drawStrips(hits = this.data.hits) {
    const groups = new Map();
    for (const hit of hits) groups.set(hit.video, [...(groups.get(hit.video) ?? []), hit]);
    for (const [video, strip] of this.strips)
      if (!groups.has(video)) {
        strip.remove();
        this.strips.delete(video);
      }
    const strips = [...groups].map(([video, found]) => {
      const strip = this.strips.get(video) ?? new Strip(this);
      this.strips.set(video, strip);
      strip.show(found, this.data.videos[video], this.data);
      return strip.li;
    });
    place(this.stripList, strips);
  }

  /** Show a hit below its strip and play it; once more closes it. */
  choose(hit) {
    const before = this.cards.get(this.open);
    before?.remove();
    this.cards.delete(this.open);
    this.open = this.open === hit.id ? null : hit.id;
    this.drawStrips();
    const card = this.cards.get(this.open);
    card?.toggle();
    card?.li.scrollIntoView({ block: "nearest" });
  }

  /** Stop what plays; there is one player at a time. */
  only(card) {
    if (this.playing !== card) this.playing?.rest();
    this.playing = card;
  }

  destroy() {
    for (const card of this.cards.values()) card.remove();
  }
}

/** Make `list` hold exactly `items`, in order, moving as few as possible. */
function place(list, items) {
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
