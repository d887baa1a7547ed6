// Thumbnails as buttons. Text only ever goes in through textContent: labels are what users type.

let clicks = 0; // a trigger needs a value that changes

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

class Card {
  constructor(onPick) {
    this.li = document.createElement("li");
    this.button = element("button", "item", this.li);
    this.button.type = "button";
    this.picture = element("span", "picture", this.button);
    this.image = element("img", "", this.picture);
    this.image.loading = "lazy";
    this.image.decoding = "async";
    this.image.onerror = () => this.picture.classList.add("broken");
    this.image.onload = () => this.picture.classList.remove("broken");
    this.time = element("span", "time", this.picture);
    this.bar = element("span", "bar", this.button);
    const words = element("span", "words", this.button);
    this.title = element("span", "title", words);
    this.subtitle = element("span", "subtitle", words);
    this.button.onclick = () => onPick(this.item);
  }

  show(item) {
    this.item = item;
    if (this.url !== item.url) this.image.src = this.url = item.url;
    this.image.alt = item.alt;
    this.time.textContent = item.time ?? "";
    this.time.hidden = item.time === null;
    this.bar.style.setProperty("--colour", item.colour ?? "transparent");
    this.title.textContent = item.title;
    this.subtitle.textContent = item.subtitle;
    this.subtitle.hidden = !item.subtitle;
    this.button.title = [item.title, item.time, item.subtitle].filter(Boolean).join(" · ");
  }
}

class Gallery {
  constructor(root) {
    this.list = root.querySelector(".items");
    this.empty = root.querySelector(".empty");
    this.cards = new Map();
    this.list.onkeydown = (event) => this.move(event);
  }

  update({ data, setTriggerValue }) {
    this.list.setAttribute("aria-label", data.label);
    this.list.hidden = data.items.length === 0;
    this.empty.hidden = data.items.length > 0;
    this.empty.textContent = data.empty;
    this.pick = (item) => setTriggerValue("picked", { id: item.id, n: `${Date.now()}.${++clicks}` });
    const before = this.cards;
    this.cards = new Map();
    for (const item of data.items) {
      // A card that stays keeps its element, so that pictures don't blink and the focus isn't lost.
      const card = before.get(item.id) ?? new Card((picked) => this.pick(picked));
      before.delete(item.id);
      card.show(item);
      this.cards.set(item.id, card);
    }
    for (const card of before.values()) card.li.remove();
    [...this.cards.values()].forEach((card, index) => {
      if (this.list.children[index] !== card.li) this.list.insertBefore(card.li, this.list.children[index] ?? null);
    });
  }

  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const li = event.target.closest("li");
    const next = step > 0 ? li?.nextElementSibling : li?.previousElementSibling;
    if (!next) return;
    event.preventDefault();
    next.querySelector("button").focus();
  }
}

export default mounting(Gallery);
