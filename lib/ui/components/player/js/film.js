// The filmstrip: thumbnails of the samples in view. Tiles lie on a grid in time that grows in steps as one zooms out, so
// that they stay put while panning. Only what is in view is requested, once the view rests, a few at a time.

const AT_ONCE = 6;
const MOST_CACHED = 400;
const REST_MS = 120;

export class Film {
  constructor(redraw) {
    this.redraw = redraw;
    this.pictures = new Map(); // URL -> image, last used last
    this.wanted = [];
    this.loading = 0;
    this.aspect = 16 / 9;
  }

  url(scene, index) {
    return `${scene.thumbs}/${scene.frames[index]}`;
  }

  // The picture of a sample, if it is loaded.
  loaded(url) {
    const picture = this.pictures.get(url);
    if (!picture?.complete || !picture.naturalWidth) return null;
    this.pictures.delete(url);
    this.pictures.set(url, picture);
    return picture;
  }

  draw(lanes) {
    const { scene, view, pen, ratio, box } = lanes;
    const { y, height } = lanes.lanes.film;
    lanes.title("frames", lanes.lanes.film);
    if (!scene.times.length) return;
    const least = (height * this.aspect * view.span) / lanes.plot; // duration of a tile that shows a whole picture, in seconds
    const octave = 2 ** Math.floor(Math.log2(least * 0.8)); // tiles of 0.8 to 1.2 pictures
    const step = [1, 1.5, 2].map((factor) => factor * octave).find((seconds) => seconds >= least * 0.8);
    const needed = [];
    lanes.clip({ y, height }, (top, high) => {
      lanes.rect(lanes.left, y, lanes.plot, height, lanes.ink, 0.06);
      for (let tile = Math.floor(view.start / step); tile * step < view.end; tile += 1) {
        const x0 = Math.round(box.x + ((tile * step - view.start) / view.span) * box.width);
        const x1 = Math.round(box.x + (((tile + 1) * step - view.start) / view.span) * box.width);
        const index = scene.sampleAt(Math.min((tile + 0.5) * step, view.last));
        const url = this.url(scene, index);
        const picture = this.loaded(url);
        if (picture) paintCovering(pen, picture, x0, top, x1 - x0 - ratio, high);
        else needed.push(url);
      }
    });
    this.request(needed);
  }

  request(urls) {
    this.wanted = urls;
    clearTimeout(this.timer);
    if (urls.length) this.timer = setTimeout(() => this.load(), REST_MS);
  }

  load() {
    while (this.loading < AT_ONCE && this.wanted.length) {
      const url = this.wanted.shift();
      if (this.pictures.has(url)) continue; // loaded, loading, or missing
      const picture = new Image();
      this.pictures.set(url, picture);
      this.loading += 1;
      picture.onload = picture.onerror = () => {
        this.loading -= 1;
        if (picture.naturalWidth) {
          this.aspect = picture.naturalWidth / picture.naturalHeight;
          this.redraw();
        }
        this.load();
      };
      picture.src = url;
    }
    while (this.pictures.size > MOST_CACHED) this.pictures.delete(this.pictures.keys().next().value);
  }

  stop() {
    clearTimeout(this.timer);
    this.wanted = [];
  }
}

// The middle of the picture, as large as the box needs.
function paintCovering(pen, picture, x, y, width, height) {
  if (width <= 0) return;
  const { naturalWidth, naturalHeight } = picture;
  const scale = Math.max(width / naturalWidth, height / naturalHeight);
  const [w, h] = [width / scale, height / scale];
  pen.drawImage(picture, (naturalWidth - w) / 2, (naturalHeight - h) / 2, w, h, x, y, width, height);
}
