(() => {
  "use strict";
  const tip = document.getElementById("tip");
  const text = (value) => (typeof value === "number" ? String(Math.round(value * 1e5) / 1e5) : String(value ?? ""));

  /** Vega's tooltips, as text in a table: a label is never taken for markup. */
  function showTip(_, event, __, value) {
    tip.hidden = value == null || value === "";
    if (tip.hidden) return;
    const rows = typeof value === "object" ? Object.entries(value) : [["", value]];
    tip.replaceChildren(
      ...rows.map(([name, of]) => {
        const row = document.createElement("tr");
        for (const [kind, words] of [["th", name], ["td", text(of)]]) {
          row.appendChild(document.createElement(kind)).textContent = words;
        }
        return row;
      }),
    );
    const { clientX: x, clientY: y } = event;
    tip.style.left = `${Math.max(0, Math.min(x + 14, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${y + 14 + tip.offsetHeight > innerHeight ? Math.max(0, y - 14 - tip.offsetHeight) : y + 14}px`;
  }

  /** A table's rows, out of its columns: name, values, and which of them each row has, null for one after the other. */
  function rows(columns) {
    const full = columns.map(([name, values, places]) => [name, places ? places.map((place) => values[place]) : values]);
    return (full[0]?.[1] ?? []).map((_, at) => Object.fromEntries(full.map(([name, values]) => [name, values[at]])));
  }

  const charts = JSON.parse(document.getElementById("charts").textContent);
  for (const { datasets } of charts) for (const name of Object.keys(datasets)) datasets[name] = rows(datasets[name]);
  document.querySelectorAll("figure.chart > div").forEach((place, number) => {
    vegaEmbed(place, charts[number], {
      ast: true,
      renderer: "svg",
      actions: false,
      logLevel: 1, // errors; that a table is empty is none
      defaultStyle: false,
      tooltip: showTip,
    }).catch((error) => {
      place.textContent = `This chart can't be drawn by this browser (${error.message}).`;
    });
  });
})();
