// Loads the modules from a route, so that they are fetched once and not sent with every search.

const loading = new Map(); // URL -> promise of the module

export default function (api) {
  const root = api.parentElement;
  const url = new URL(`${api.data.modules}/cards.js`, document.location.origin).href;
  if (!loading.has(url)) loading.set(url, import(url));
  loading.get(url).then(
    ({ mount }) => root.host.isConnected && mount(root, api),
    () => {
      loading.delete(url);
      const words = root.querySelector(".trouble");
      words.textContent = "The moments could not be drawn; reload the page.";
      words.hidden = false;
    },
  );
  // Streamlit also calls this when newer data overtakes a call, while the component stays on the page.
  return () => setTimeout(async () => {
    if (root.host.isConnected) return;
    (await loading.get(url))?.unmount(root);
  });
}
