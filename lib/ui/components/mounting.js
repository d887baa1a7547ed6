// Mounts a component: as one object per place on the page, or from modules that a route serves.

const instances = new WeakMap(); // root -> the object that draws there

/** Return what Streamlit calls with new data: it makes a `Component` for each root, and has it draw. */
function mounting(Component) {
  return (api) => {
    const root = api.parentElement;
    if (!instances.has(root)) instances.set(root, new Component(root));
    const instance = instances.get(root);
    instance.update(api);
    return () => {
      instance.leave?.();
      // Streamlit also calls this when data changed twice at once, with the component still in use.
      setTimeout(() => {
        if (root.isConnected) return;
        instance.destroy?.();
        instances.delete(root);
      });
    };
  };
}

const loading = new Map(); // URL -> promise of the module

/** As `mounting`, by a module that is fetched once and not sent with every change; `fail` shows that it can't be. */
function mountingModule(file, fail) {
  return (api) => {
    const root = api.parentElement;
    const url = new URL(`${api.data.modules}/${file}`, document.location.origin).href;
    if (!loading.has(url)) loading.set(url, import(url));
    loading.get(url).then(
      ({ mount }) => root.host.isConnected && mount(root, api),
      () => {
        loading.delete(url);
        fail(root);
      },
    );
    return () => setTimeout(async () => {
      if (!root.host.isConnected) (await loading.get(url))?.unmount(root); // else data changed twice at once
    });
  };
}
