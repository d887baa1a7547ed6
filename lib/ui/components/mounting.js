// Mounts a component: as one object per place on the page, or from modules that a route serves.
//
// Streamlit may draw a component at a new place before it removes the one at the old place, and mount either of them last.
// What the removed one had taken over, such as a queue or the other part of a player, goes back to the one that stays.

const instances = new Map(); // root -> the object that draws there, and what Streamlit called with last

/** Return what Streamlit calls with new data: it makes a `Component` for each root, and has it draw. */
function mounting(Component) {
  return (api) => {
    const root = api.parentElement;
    const { instance } = instances.get(root) ?? { instance: new Component(root) };
    instances.set(root, { instance, api });
    instance.update(api);
    return () => {
      instance.leave?.();
      // Streamlit also calls this when data changed twice at once, with the component still in use.
      setTimeout(() => {
        if (root.isConnected || !instances.delete(root)) return;
        instance.destroy?.();
        for (const [other, use] of instances) {
          if (other.isConnected && use.api.data?.key === api.data?.key) use.instance.update(use.api);
        }
      });
    };
  };
}

const loading = new Map(); // URL -> promise of the module
const mounted = new Map(); // root -> what Streamlit called with last

/** As `mounting`, by a module that is fetched once and not sent with every change; `fail` shows that it can't be. */
function mountingModule(file, fail) {
  return (api) => {
    const root = api.parentElement;
    const url = new URL(`${api.data.modules}/${file}`, document.location.origin).href;
    if (!loading.has(url)) loading.set(url, import(url));
    mounted.set(root, api);
    loading.get(url).then(
      ({ mount }) => root.host.isConnected && mount(root, api),
      () => {
        loading.delete(url);
        fail(root);
      },
    );
    return () => setTimeout(async () => {
      if (root.host.isConnected || !mounted.delete(root)) return; // data changed twice at once
      const { mount, unmount } = (await loading.get(url)) ?? {};
      unmount?.(root);
      for (const [other, use] of mounted) {
        if (other.host.isConnected && use.data.key === api.data.key) mount?.(other, use);
      }
    });
  };
}
