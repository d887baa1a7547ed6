// What changes with each edit comes this way, a few bytes, and the table's own code stays where it is.
const here = (globalThis[Symbol.for("promptreel.prompts")] ??= { memories: new Map(), news: new Map(), editors: new Map() });

export default function ({ data }) {
  here.news.set(data.key, data);
  here.editors.get(data.key)?.inform(data);
}
