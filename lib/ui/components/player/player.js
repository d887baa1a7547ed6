// Loads the player's modules from a route, so that they are fetched once and not sent with every edit.

const loading = new Map(); // URL -> promise of the module

export default function (api) {
  const root = api.parentElement;
  const url = new URL(`${api.data.modules}/instrument.js`, document.location.origin).href;
  if (!loading.has(url)) loading.set(url, import(url));
  loading.get(url).then(
    ({ mount }) => root.host.isConnected && mount(root, api),
    () => {
      loading.delete(url);
      const words = root.querySelector(".words");
      words.textContent = "The player could not be loaded; reload the page.";
      root.querySelector(".notice").hidden = false;
      root.querySelector(".notice").dataset.kind = "problem";
    },
  );
  // Streamlit also calls this when newer data overtakes a call (two edits in a row), while the component stays on the
  // page. Unmount only once it has left.
  return () => setTimeout(async () => {
    if (root.host.isConnected) return;
    (await loading.get(url))?.unmount(root);
  });
}
