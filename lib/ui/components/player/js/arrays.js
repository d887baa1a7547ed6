// Binary packs of arrays, as lib/charts/player_arrays.py writes them: fetched once a URL, or handed over as base64.

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u2: Uint16Array };
const KEPT = 24;
const fetched = new Map(); // URL -> promise of a pack, last used last

export function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const entries = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  for (const { name, dtype, shape, offset } of entries) {
    const count = shape.reduce((product, size) => product * size, 1);
    arrays[name] = { data: new TYPES[dtype](buffer, 4 + length + offset, count), shape };
  }
  return arrays;
}

export function loadPack({ url, inline }) {
  const name = url ?? inline;
  let pack = fetched.get(name);
  fetched.delete(name);
  pack ??= url ? fetchPack(url) : Promise.resolve(decode(Uint8Array.from(atob(inline), (c) => c.charCodeAt(0)).buffer));
  fetched.set(name, pack);
  if (fetched.size > KEPT) fetched.delete(fetched.keys().next().value);
  return pack;
}

async function fetchPack(url) {
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`lanes: status ${answer.status}`);
    return decode(await answer.arrayBuffer());
  } catch (error) {
    fetched.delete(url); // the next update tries again
    throw error;
  }
}
