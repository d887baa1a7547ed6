// Arrays in the binary form that lib/charts/player_arrays.py writes: fetched once per URL, or passed as base64.

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u2: Uint16Array };
const MOST_CACHED = 24;
const cache = new Map(); // URL or base64 -> promise of the arrays, last used last

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

export function loadArrays({ url, inline }) {
  const key = url ?? inline;
  let arrays = cache.get(key);
  cache.delete(key);
  arrays ??= url ? fetchArrays(url) : Promise.resolve(decode(Uint8Array.from(atob(inline), (c) => c.charCodeAt(0)).buffer));
  cache.set(key, arrays);
  if (cache.size > MOST_CACHED) cache.delete(cache.keys().next().value);
  return arrays;
}

async function fetchArrays(url) {
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`lanes: status ${answer.status}`);
    return decode(await answer.arrayBuffer());
  } catch (error) {
    cache.delete(url); // the next update tries again
    throw error;
  }
}
