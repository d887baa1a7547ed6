// Loads the instrument's modules (js/) from a route, so that they are fetched once and don't travel with every edit.

const loading = new Map(); // URL -> promise of the module
const latest = new WeakMap(); // element -> what to draw; a newer call or the unmount takes its place

export default function (api) {
  const root = api.parentElement;
  const url = new URL(`${api.data.modules}/instrument.js`, document.location.origin).href;
  if (!loading.has(url)) loading.set(url, import(url));
  const turn = {};
  latest.set(root, turn);
  loading.get(url).then(
    ({ mount }) => latest.get(root) === turn && mount(root, api),
    () => {
      loading.delete(url);
      const words = root.querySelector(".words");
      words.textContent = "The player could not be loaded; reload the page.";
      root.querySelector(".notice").hidden = false;
      root.querySelector(".notice").dataset.kind = "problem";
    },
  );
  return () => {
    latest.delete(root);
    loading.get(url)?.then(({ unmount }) => unmount(root), () => {});
  };
}
