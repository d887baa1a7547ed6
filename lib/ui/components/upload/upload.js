// Uploads: a queue for each key that lives as long as the tab, and a view that is mounted and unmounted with the page.

const AT_ONCE = 2;
const SPEED_WINDOW_MS = 4000;
const DRAW_MS = 200;
const ANNOUNCE_MS = 5000;
const UNITS = ["kB", "MB", "GB", "TB"];
const ACTIVE = ["waiting", "sending", "taking"];
const CROSS = "M6 6l12 12M18 6 6 18";
const ARROW = "M20 12a8 8 0 1 1-2.6-5.9M20 4v4.5h-4.5";

// Survives unmounting, so that a switch of pages interrupts no upload.
const queues = (globalThis[Symbol.for("promptreel.uploads")] ??= new Map());

function formatBytes(size) {
  if (size < 1000) return `${size} B`;
  let value = size / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(value >= 99.95 ? 0 : 1)} ${UNITS[unit]}`;
}

function formatDuration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.round((seconds % 3600) / 60)).padStart(2, "0")} min`;
}

class Entry {
  constructor(file) {
    this.id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; // randomUUID needs https or localhost
    this.file = file;
    this.name = file.name;
    this.size = file.size;
    this.reset();
  }

  reset() {
    this.state = "waiting";
    this.sent = 0;
    this.trouble = "";
    this.marks = []; // [ms, bytes sent] of the last seconds
  }

  get active() {
    return ACTIVE.includes(this.state);
  }

  fail(sentence) {
    this.state = "failed";
    this.trouble = sentence;
  }

  mark(sent) {
    const now = performance.now();
    this.sent = sent;
    this.marks.push([now, sent]);
    while (this.marks.length > 2 && now - this.marks[0][0] > SPEED_WINDOW_MS) this.marks.shift();
  }

  get speed() {
    if (this.marks.length < 2) return 0;
    const [[from, before], [to, after]] = [this.marks[0], this.marks.at(-1)];
    return to > from ? ((after - before) / (to - from)) * 1000 : 0;
  }
}

class Queue {
  constructor() {
    this.entries = [];
    this.finished = [];
    this.onchange = () => {}; // a state changed: drawn at once, as the buttons depend on it
    this.onprogress = () => {}; // progress: drawn a few times a second
    this.onfinish = () => {};
    this.onopen = () => {};
    this.warn = (event) => event.preventDefault();
  }

  add(items) {
    for (const { file, folder } of items) {
      const entry = new Entry(file);
      this.entries.push(entry);
      if (folder) entry.fail(`“${entry.name}” is a folder; choose the videos in it.`);
      else if (entry.size === 0) entry.fail(`“${entry.name}” is empty; choose a file with a video in it.`);
      else if (entry.size > this.config.limit)
        entry.fail(`“${entry.name}” is ${formatBytes(entry.size)}; the largest allowed here is ${formatBytes(this.config.limit)}.`);
    }
    this.next();
  }

  next() {
    let free = AT_ONCE - this.entries.filter((entry) => entry.request).length;
    for (const entry of this.entries) {
      if (free > 0 && entry.state === "waiting") {
        this.send(entry);
        free -= 1;
      }
    }
    const active = this.entries.some((entry) => entry.active);
    if (active) window.addEventListener("beforeunload", this.warn);
    else window.removeEventListener("beforeunload", this.warn);
    this.onchange();
  }

  send(entry) {
    const request = (entry.request = new XMLHttpRequest());
    const end = (action) => {
      entry.request = null;
      action();
      this.next();
    };
    entry.state = "sending";
    entry.mark(0);
    request.open("PUT", this.config.url + encodeURIComponent(entry.name));
    request.setRequestHeader("X-XSRF-Token", document.cookie.match(/(?:^|;\s*)_streamlit_xsrf=([^;]+)/)?.[1] ?? "");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => {
      entry.mark(event.loaded);
      this.onprogress();
    };
    request.upload.onload = () => {
      entry.mark(entry.size);
      entry.state = "taking";
      this.onchange();
    };
    request.onload = () => end(() => this.answered(entry, request));
    request.onerror = () =>
      end(() => entry.fail("The connection to the dashboard was lost; check that it is running, then try again."));
    request.onabort = () => end(() => (entry.state = "cancelled"));
    request.send(entry.file);
  }

  answered(entry, request) {
    let answer = {};
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      answer = { error: `The dashboard answered with status ${request.status}; reload the page and try again.` };
    }
    if (request.status !== 200) {
      entry.fail(answer.error ?? `The dashboard answered with status ${request.status}; try again.`);
      return;
    }
    entry.state = "done";
    entry.sha256 = answer.sha256;
    entry.file = null; // lets the browser free it
    this.finished.push({ id: entry.id, sha256: answer.sha256, name: answer.name, size: answer.size });
    this.onfinish();
  }

  stop(entry) {
    if (entry.request) entry.request.abort();
    else {
      entry.state = "cancelled";
      this.next();
    }
  }

  retry(entry) {
    entry.reset();
    this.next();
  }

  remove(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    this.onchange();
  }

  clear() {
    this.entries = this.entries.filter((entry) => entry.active);
    this.onchange();
  }
}

class Row {
  constructor(entry, queue) {
    const make = (tag, className, parent) => {
      const node = document.createElement(tag);
      node.className = className;
      parent.append(node);
      return node;
    };
    this.entry = entry;
    this.queue = queue;
    this.li = document.createElement("li");
    this.li.className = "file";
    const line = make("div", "line", this.li);
    this.name = make("span", "name", line);
    this.name.textContent = this.name.title = entry.name;
    this.figures = make("span", "figures", line);
    this.open = make("button", "plain-button open", line);
    this.open.type = "button";
    this.open.textContent = "Open";
    this.open.setAttribute("aria-label", `Open ${entry.name}`);
    this.open.onclick = () => queue.onopen(entry);
    this.again = this.button(line, ARROW, `Upload ${entry.name} again`, () => queue.retry(entry));
    this.act = this.button(line, CROSS, "", () => (entry.active ? queue.stop(entry) : queue.remove(entry)));
    this.bar = make("div", "bar", this.li);
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-label", `Upload of ${entry.name}`);
    this.fill = make("i", "", this.bar);
    this.trouble = make("p", "trouble", this.li);
  }

  button(parent, path, label, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "act";
    button.onclick = action;
    button.setAttribute("aria-label", label);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    button.append(svg);
    parent.append(button);
    return button;
  }

  draw() {
    const { entry, queue } = this;
    const percent = Math.min(100, entry.size ? (entry.sent / entry.size) * 100 : 0);
    this.li.dataset.state = entry.state;
    this.figures.textContent = this.text();
    this.fill.style.width = `${percent}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.floor(percent)));
    this.trouble.textContent = entry.trouble;
    this.trouble.hidden = !entry.trouble;
    this.open.hidden = !(entry.state === "done" && queue.config.opens && !entry.name.toLowerCase().endsWith(queue.config.opens_not));
    this.again.hidden = !(["failed", "cancelled"].includes(entry.state) && entry.file?.size);
    this.act.hidden = entry.state === "taking";
    this.act.setAttribute("aria-label", entry.active ? `Cancel ${entry.name}` : `Remove ${entry.name} from the list`);
  }

  text() {
    const { entry } = this;
    const words = {
      waiting: `Waiting · ${formatBytes(entry.size)}`,
      taking: `Checking the video… · ${formatBytes(entry.size)}`,
      done: `Added · ${formatBytes(entry.size)}`,
      failed: "Not added",
      cancelled: "Cancelled",
    }[entry.state];
    if (words) return words;
    const { speed } = entry;
    const rest = speed > 0 ? ` · ${formatBytes(speed)}/s · ${formatDuration((entry.size - entry.sent) / speed)} left` : "";
    return `${formatBytes(entry.sent)} of ${formatBytes(entry.size)}${rest}`;
  }
}

class View {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.group = find(".upload");
    this.zone = find(".zone");
    this.label = find(".label");
    this.hint = find(".hint");
    this.browse = find(".browse");
    this.picker = find(".picker");
    this.summary = find(".summary");
    this.total = find(".total");
    this.clear = find(".clear");
    this.list = find(".files");
    this.announce = find(".announce");
    this.rows = new Map();
    this.browse.onclick = () => this.picker.click();
    this.picker.onchange = () => {
      this.queue.add([...this.picker.files].map((file) => ({ file, folder: false })));
      this.picker.value = ""; // the same file can be chosen again
    };
    this.clear.onclick = () => this.queue.clear();
    this.acceptDrops();
  }

  acceptDrops() {
    let depth = 0; // enter and leave also fire for the zone's children
    const over = (change) => {
      depth = change === 0 ? 0 : Math.max(0, depth + change);
      this.zone.classList.toggle("over", depth > 0);
    };
    this.zone.ondragenter = (event) => (event.preventDefault(), over(1));
    this.zone.ondragleave = () => over(-1);
    this.zone.ondragover = (event) => event.preventDefault();
    this.zone.ondrop = (event) => {
      event.preventDefault();
      over(0);
      const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
      this.queue.add(
        items.map((item) => ({ file: item.getAsFile(), folder: item.webkitGetAsEntry?.()?.isDirectory ?? false })),
      );
    };
  }

  update({ data, setStateValue, setTriggerValue }) {
    this.group.setAttribute("aria-label", data.label);
    this.label.textContent = data.label;
    this.hint.textContent = data.hint;
    this.picker.accept = data.accept;
    const first = !this.queue;
    if (!queues.has(data.key)) queues.set(data.key, new Queue());
    this.queue = queues.get(data.key);
    this.queue.config = data;
    this.queue.onchange = () => this.draw();
    this.queue.onprogress = () => this.schedule();
    this.queue.onfinish = () => setStateValue("finished", this.queue.finished);
    this.queue.onopen = ({ sha256, name, size }) => setTriggerValue("open", { sha256, name, size, n: `${Date.now()}.${Math.random()}` });
    if (first && this.queue.finished.length) setTimeout(this.queue.onfinish); // finished while another page was shown
    this.draw();
  }

  schedule() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.draw();
    }, DRAW_MS);
  }

  draw() {
    const { entries } = this.queue;
    for (const entry of entries) {
      if (!this.rows.has(entry)) {
        const row = new Row(entry, this.queue);
        this.rows.set(entry, row);
        this.list.append(row.li);
      }
    }
    for (const [entry, row] of this.rows) {
      if (entries.includes(entry)) row.draw();
      else {
        // Moves the focus to the next row, as this one's button goes.
        if (row.li.contains(this.list.getRootNode().activeElement))
          (row.li.nextElementSibling?.querySelector("button:not([hidden])") ?? this.browse).focus();
        row.li.remove();
        this.rows.delete(entry);
      }
    }
    this.list.hidden = entries.length === 0;
    this.sum(entries);
  }

  sum(entries) {
    const count = (...states) => entries.filter((entry) => states.includes(entry.state)).length;
    const active = count(...ACTIVE);
    const counted = entries.filter((entry) => entry.active || entry.state === "done");
    const size = counted.reduce((sum, entry) => sum + entry.size, 0);
    const sent = counted.reduce((sum, entry) => sum + (entry.state === "done" ? entry.size : entry.sent), 0);
    const files = (number) => (number === 1 ? "1 file" : `${number} files`);
    const failed = count("failed") ? `, ${count("failed")} not added` : "";
    const words = active
      ? `${count("done")} of ${files(counted.length)} added${failed} · ${formatBytes(sent)} of ${formatBytes(size)}`
      : `${files(count("done"))} added${failed}`;
    this.summary.hidden = entries.length === 0;
    this.clear.hidden = active === entries.length;
    this.total.textContent = words;
    const now = performance.now();
    const changed = `${count("done")},${count("failed")},${active}` !== this.spokenState;
    if (entries.length && (changed || (active && now - (this.spokenAt ?? 0) > ANNOUNCE_MS))) {
      this.spokenState = `${count("done")},${count("failed")},${active}`;
      this.spokenAt = now;
      this.announce.textContent = active ? `Uploading: ${words}` : words;
    }
  }

  destroy() {
    clearTimeout(this.timer);
    this.queue.onchange = this.queue.onprogress = this.queue.onfinish = this.queue.onopen = () => {};
  }
}

export default mounting(View);
